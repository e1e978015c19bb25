"""How fast forecasts are answered: ours from memory and computed anew, the tutorial's endpoint, MLflow and BentoML.

One process with one worker each, in turn, on this machine; a real PostgreSQL on loopback; `wrk` (a Debian package) with
one and with eight clients. MLflow and BentoML have the same model, but no database and store nothing. They need a venv
of their own, and are left out without it:

    uv venv .venv-bench-api
    uv pip install --compile-bytecode --python .venv-bench-api/bin/python -r requirements/bench-api.in

    python -m bench.api            # about three minutes
    python -m bench.api --json     # {SERVER: {p50_ms, p99_ms, rps_8, rss_mb, cold_start_s, cpu_ms, cold_cpu_s}}

p50_ms and p99_ms are of one client, rps_8 of eight, rss_mb of all its processes under load, cold_start_s from the start
of the process to the first forecast, cpu_ms the user and system time of one answer, cold_cpu_s that of the start: on a
machine that does other things at the same time they say more than the clock.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

import numpy as np

from actioncast.database.database import open_database
from actioncast.paths import ROOT
from actioncast.text import table
from actioncast.times import ONE_HOUR
from bench import etl, tutorial_api
from tests.support.clock import at
from tests.support.ports import free_port
from tests.support.serving import HISTORY, KEY, SERIES, promote, settings_in, wave
from tests.support.serving import load as store
from tests.support.temp_postgres import TempPostgres

RIVALS = ROOT / ".venv-bench-api" / "bin"
HORIZON = 168
TICKS = os.sysconf("SC_CLK_TCK")
Figures = dict[str, float]
LUA = """
wrk.method = "POST"
wrk.body = %s
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-API-Key"] = "%s"
done = function(summary, latency, requests)
  io.write(string.format('{"requests": %%d, "us": %%d, "failed": %%d, "p50": %%f, "p99": %%f}\\n', summary.requests,
    summary.duration, summary.errors.status + summary.errors.connect + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Server:
    """How to start it on a port, and what to ask."""

    command: list[str]  # {port} is replaced
    path: str
    body: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    least_seconds: float = 0  # of a load, where an answer takes seconds


def servers(folder: Path, url: str, tutorial_url: str, source: str) -> dict[str, Server]:
    """The servers that can run here: ours always, a rival where it is installed."""
    forecast = f"/forecast?num_predictions={HORIZON}"
    serve_computed = "import sys; from bench.computed_api import serve; serve(sys.argv[1])"
    our_variables = {
        "DATABASE_URL": url,
        "API_KEY": KEY,
        "ACTIONCAST_CONFIG": str(folder / "config.toml"),
    }
    result = {
        "stored": Server(
            [sys.executable, "app.py", "--port", "{port}"],
            forecast,
            variables=our_variables,
        ),
        "computed": Server(
            [sys.executable, "-c", serve_computed, "{port}"],
            forecast,
            variables=our_variables,
        ),
        "tutorial": Server(
            [
                *(sys.executable, "-m", "uvicorn", "bench.tutorial_api:app"),
                *("--port", "{port}", "--no-access-log"),
            ],
            forecast,
            variables={
                "DATABASE_URL": tutorial_url,
                "SOURCE_URL": source,
                "MODEL_DIRECTORY": str(folder),
            },
            least_seconds=30,
        ),
    }
    if (RIVALS / "mlflow").exists():
        result["mlflow"] = _mlflow(folder)
    if (RIVALS / "bentoml").exists():
        result["bentoml"] = _bentoml(folder)
    return result


def _mlflow(folder: Path) -> Server:
    mlflow = str(RIVALS / "mlflow")
    command = [
        *(mlflow, "models", "serve", "-m", str(folder / "mlflow")),
        *("--env-manager", "local", "--workers", "1", "-p", "{port}"),
    ]
    body = f'{{"inputs": [{HORIZON}]}}'
    return Server(command, "/invocations", body, _variables_of_rivals(folder))


def _bentoml(folder: Path) -> Server:
    bentoml = str(RIVALS / "bentoml")
    command = [bentoml, "serve", "bench.rival_bento:Forecast", "--port", "{port}"]
    body = f'{{"hours": {HORIZON}}}'
    return Server(command, "/forecast", body, _variables_of_rivals(folder))


def _variables_of_rivals(folder: Path) -> dict[str, str]:
    return {
        "BENCH_MODEL": str(folder / "model" / SERIES),
        "PATH": f"{RIVALS}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "BENTOML_DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


@contextmanager
def running(server: Server, log: Path) -> Iterator[tuple[int, int, float]]:
    """Start it and wait for its first forecast; yields pid, port and how long that took."""
    port = free_port()
    command = [part.replace("{port}", str(port)) for part in server.command]
    variables = {**os.environ, **server.variables}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    with log.open("ab") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=sink, stderr=sink, start_new_session=True)
        try:
            while not forecasts(server, port):
                if process.poll() is not None or time.perf_counter() - begun > 60:
                    raise RuntimeError(f"{command} does not answer: {log.read_text()[-2000:]}")
                time.sleep(0.01)
            yield process.pid, port, time.perf_counter() - begun
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def forecasts(server: Server, port: int) -> bool:
    """Whether the server answers a forecast already."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        try:
            headers = {"Content-Type": "application/json", "X-API-Key": KEY}
            connection.request("POST", server.path, server.body, headers)
            response = connection.getresponse()
            response.read()
        except OSError:
            return False
        return response.status == 200


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    tree = [pid]
    for member in tree:  # grows while it is walked
        tree += [child for child, parent in parents.items() if parent == member]
    return tree


def memory_and_cpu(pid: int) -> tuple[float, float]:
    """MB resident and seconds of user and system time, of the whole tree."""
    kilobytes = 0.0
    seconds = 0.0
    for member in process_tree(pid):
        for line in Path(f"/proc/{member}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                kilobytes += float(line.split()[1])
        # The fields behind the name of the process, which may hold spaces.
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        user_ticks = int(fields[11])
        system_ticks = int(fields[12])
        seconds += (user_ticks + system_ticks) / TICKS
    return kilobytes / 1024, seconds


def load(server: Server, port: int, *, clients: int, seconds: float, folder: Path) -> Figures:
    """One run of wrk. Raises RuntimeError when an answer is not 2xx."""
    script = folder / "post.lua"
    script.write_text(LUA % (json.dumps(server.body), KEY), encoding="utf-8")
    command = [
        *("wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "30s"),
        *("-s", str(script), f"http://127.0.0.1:{port}{server.path}"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: Figures = json.loads(result.stdout.splitlines()[-1])
    if figures["failed"]:
        raise RuntimeError(f"{figures['failed']} of {figures['requests']} answers were errors")
    return figures


def measure(server: Server, seconds: float, folder: Path) -> Figures:
    """One start, one client, eight clients."""
    with running(server, folder / "log") as (pid, port, cold_start):
        cold_cpu = memory_and_cpu(pid)[1]
        one = load(
            server,
            port,
            clients=1,
            seconds=max(seconds, server.least_seconds / 3),
            folder=folder,
        )
        cpu_before = memory_and_cpu(pid)[1]
        eight = load(
            server,
            port,
            clients=8,
            seconds=max(seconds, server.least_seconds),
            folder=folder,
        )
        megabytes, cpu_after = memory_and_cpu(pid)
    return {
        "p50_ms": one["p50"] / 1000,
        "p99_ms": one["p99"] / 1000,
        "rps_8": eight["requests"] / eight["us"] * 1e6,
        "rss_mb": megabytes,
        "cold_start_s": cold_start,
        "cold_cpu_s": cold_cpu,
        "cpu_ms": (cpu_after - cpu_before) / max(eight["requests"], 1) * 1000,
    }


@contextmanager
def source_of_everything() -> Iterator[str]:
    """The tutorial's source: 330,000 points, made once, on loopback."""
    points = etl.recording()
    values = [{"x": int(x), "y": float(y)} for x, y in zip(points.times, points.values, strict=True)]
    body = json.dumps({"status": "ok", "values": values}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # the server is stopped while it reads
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    stub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{stub.server_address[1]}/"
    stub.shutdown()
    stub.server_close()


def prepare(folder: Path, url: str) -> None:
    """History, champion and the rivals' copies of it."""
    settings = settings_in(folder, url)
    config = (folder / "config.toml").read_text(encoding="utf-8")
    # The limiter runs, but does not bind; newness is looked at as shipped.
    config = config.replace("requests_per_minute = 0", "requests_per_minute = 10000000").replace(
        "newness_seconds = 0", ""
    )
    (folder / "config.toml").write_text(config, encoding="utf-8")
    hours = wave(at(-HISTORY), HISTORY)
    with open_database(settings) as database:
        store(database, hours, at(0) + ONE_HOUR)
    model = settings.model_directory(SERIES)
    promote(model)
    np.save(model / "hours.npy", hours.values)
    tutorial_api.train(folder, hours.values)
    if (RIVALS / "mlflow").exists():
        code = f"from bench.rivals import save_for_mlflow; save_for_mlflow({str(folder / 'mlflow')!r})"
        variables = {**os.environ, "BENCH_MODEL": str(model)}
        subprocess.run([RIVALS / "python", "-W", "ignore", "-c", code], cwd=ROOT, env=variables, check=True)


def contest(rounds: int, seconds: float) -> dict[str, Figures]:
    """Every server in turn, `rounds` times; medians."""
    runs: dict[str, list[Figures]] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        TempPostgres(durable=True) as postgres,
        source_of_everything() as source,
    ):
        folder = Path(name)
        url = postgres.new_database()
        prepare(folder, url)
        for turn in range(rounds):
            for server_name, server in servers(folder, url, postgres.new_database(), source).items():
                print(f"{server_name}, {turn + 1} of {rounds} ...", file=sys.stderr)
                if turn > 0 and server.least_seconds:
                    continue  # once is enough
                if turn == 0:
                    warm_up(server, folder)
                runs.setdefault(server_name, []).append(measure(server, seconds, folder))
    return {server_name: medians(figures) for server_name, figures in runs.items()}


def warm_up(server: Server, folder: Path) -> None:
    """Start once: compiles bytecode, fills the page cache and stores a forecast."""
    with running(server, folder / "log"):
        pass


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of each figure over the runs, to four digits."""
    return {name: float(f"{median(run[name] for run in runs):.4g}") for name in runs[0]}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="starts of each server (default: 3)")
    parser.add_argument("--seconds", type=float, default=3, help="of each load (default: 3; the tutorial's: 30)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(argv)
    if shutil.which("wrk") is None:
        print("error: wrk is missing: apt-get install wrk", file=sys.stderr)
        return 1
    figures = contest(arguments.rounds, arguments.seconds)
    if arguments.json:
        print(json.dumps(figures))
        return 0
    missing = {"mlflow", "bentoml"} - set(figures)
    if missing:
        names = ", ".join(sorted(missing))
        print(f"left out: {names}; how to install them: python -m bench.api --help")
    print(f"{HORIZON} hours a forecast; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(table_of(figures))
    return 0


def table_of(figures: dict[str, Figures]) -> str:
    """The figures of each server, and its p50 beside ours."""
    ours = figures["stored"]
    headers = ["server", *ours, "times stored's p50"]
    rows = []
    for server_name, row in figures.items():
        rows.append([server_name, *row.values(), row["p50_ms"] / ours["p50_ms"]])
    return table(headers, rows)


if __name__ == "__main__":
    sys.exit(main())
