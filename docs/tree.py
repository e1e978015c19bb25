"""The file tree of docs/design.md, from the docstrings of scripts and packages.

    python docs/tree.py            # print it
    python docs/tree.py --write    # put it into docs/design.md

Exit codes: 0 done; 1 design.md has no place for it.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DESIGN = ROOT / "docs" / "design.md"
BEGIN = "<!-- made by docs/tree.py from the docstrings -->\n```\n"
END = "```\n<!-- end -->\n"
COLUMN = 24  # where the descriptions begin


def summary_of(path: Path) -> str:
    """The first sentence of a module's docstring, on one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return paragraph.split(". ")[0].removesuffix(".")


def tree() -> str:
    """Root scripts, then the package: its folders and its ground files."""
    lines = [_line(path.name, path) for path in sorted(ROOT.glob("*.py"))]
    package = ROOT / "actioncast"
    lines.append("actioncast/")
    for path in sorted(package.glob("*.py")):
        if path.name != "__init__.py":
            lines.append(_line(f"  {path.name}", path))
    for path in sorted(package.glob("**/*/__init__.py")):
        folder = path.parent.relative_to(package)
        lines.append(_line(f"  {folder}/", path))
    return "\n".join(lines) + "\n"


def _line(name: str, path: Path) -> str:
    return f"{name:<{COLUMN}}{summary_of(path)}"


def updated(text: str) -> str:
    """The text of design.md with the tree as it is now. Raises ValueError where the marks are missing."""
    before, begin, remainder = text.partition(BEGIN)
    _, end, after = remainder.partition(END)
    if not (begin and end):
        raise ValueError(f"{DESIGN} lacks the lines {BEGIN!r} and {END!r}")
    return before + BEGIN + tree() + END + after


def main() -> int:
    if "--write" not in sys.argv[1:]:
        print(tree(), end="")
        return 0
    try:
        text = updated(DESIGN.read_text(encoding="utf-8"))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    DESIGN.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
