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
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

import numpy as np

from actioncast.database.database import open_database
from actioncast.paths import ROOT
from actioncast.text import table
from bench import etl, tutorial_api
from tests.support.clock import at
from tests.support.ports import free_port
from tests.support.serving import HISTORY, KEY, SERIES, load, promote, settings_in, wave
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
    """What can run here."""
    ours = {"DATABASE_URL": url, "API_KEY": KEY, "ACTIONCAST_CONFIG": str(folder / "config.toml")}
    python, forecast = sys.executable, f"/forecast?num_predictions={HORIZON}"
    computed = "import sys; from bench.computed_api import serve; serve(sys.argv[1])"
    uvicorn = [python, "-m", "uvicorn", "bench.tutorial_api:app", "--port", "{port}", "--no-access-log"]
    theirs = {"DATABASE_URL": tutorial_url, "SOURCE_URL": source, "MODEL_DIRECTORY": str(folder)}
    found = {
        "stored": Server([python, "app.py", "--port", "{port}"], forecast, variables=ours),
        "computed": Server([python, "-c", computed, "{port}"], forecast, variables=ours),
        "tutorial": Server(uvicorn, forecast, variables=theirs, least_seconds=30),
    }
    model = {"BENCH_MODEL": str(folder / "model" / SERIES), "PATH": f"{RIVALS}{os.pathsep}{os.environ['PATH']}"}
    quiet = {"BENTOML_DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT)}
    if (RIVALS / "mlflow").exists():
        mlflow = [str(RIVALS / "mlflow"), "models", "serve", "-m", str(folder / "mlflow"), "--env-manager", "local"]
        found["mlflow"] = Server(
            [*mlflow, "--workers", "1", "-p", "{port}"], "/invocations", f'{{"inputs": [{HORIZON}]}}', model | quiet
        )
    if (RIVALS / "bentoml").exists():
        bento = [str(RIVALS / "bentoml"), "serve", "bench.rival_bento:Forecast", "--port", "{port}"]
        found["bentoml"] = Server(bento, "/forecast", f'{{"hours": {HORIZON}}}', model | quiet)
    return found


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
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        try:
            headers = {"Content-Type": "application/json", "X-API-Key": KEY}
            connection.request("POST", server.path, server.body, headers)
            response = connection.getresponse()
            response.read()
        except OSError:
            return False
        return response.status == 200


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def memory_and_cpu(pid: int) -> tuple[float, float]:
    """MB resident and seconds of user and system time, of the whole tree."""
    kilobytes, seconds = 0.0, 0.0
    for one in tree(pid):
        status = Path(f"/proc/{one}/status").read_text()
        kilobytes += sum(float(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICKS
    return kilobytes / 1024, seconds


def ask(server: Server, port: int, clients: int, seconds: float, folder: Path) -> Figures:
    """One run of wrk. Raises RuntimeError when an answer is not 2xx."""
    script = folder / "post.lua"
    script.write_text(LUA % (json.dumps(server.body), KEY), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{server.path}"], capture_output=True, text=True, check=True
    )
    told: Figures = json.loads(done.stdout.splitlines()[-1])
    if told["failed"]:
        raise RuntimeError(f"{told['failed']} of {told['requests']} answers were errors")
    return told


def measure(server: Server, seconds: float, folder: Path) -> Figures:
    """One start, one client, eight clients."""
    with running(server, folder / "log") as (pid, port, cold_start):
        cold_cpu = memory_and_cpu(pid)[1]
        one = ask(server, port, 1, max(seconds, server.least_seconds / 3), folder)
        before = memory_and_cpu(pid)[1]
        eight = ask(server, port, 8, max(seconds, server.least_seconds), folder)
        megabytes, after = memory_and_cpu(pid)
    return {
        "p50_ms": one["p50"] / 1000,
        "p99_ms": one["p99"] / 1000,
        "rps_8": eight["requests"] / eight["us"] * 1e6,
        "rss_mb": megabytes,
        "cold_start_s": cold_start,
        "cold_cpu_s": cold_cpu,
        "cpu_ms": (after - before) / max(eight["requests"], 1) * 1000,
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
        load(database, hours, at(0) + timedelta(hours=1))
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
        folder, url = Path(name), postgres.new_database()
        prepare(folder, url)
        for turn in range(rounds):
            for server_name, server in servers(folder, url, postgres.new_database(), source).items():
                print(f"{server_name}, {turn + 1} of {rounds} ...", file=sys.stderr)
                if turn and server.least_seconds:
                    continue  # once is enough
                if turn == 0:
                    with running(server, folder / "log"):  # compiles bytecode, fills the page cache, stores a forecast
                        pass
                runs.setdefault(server_name, []).append(measure(server, seconds, folder))
    return {
        name: {figure: float(f"{median(run[figure] for run in many):.4g}") for figure in many[0]}
        for name, many in runs.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="starts of each server (default: 3)")
    parser.add_argument("--seconds", type=float, default=3, help="of each load (default: 3; the tutorial's: 30)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(argv)
    if shutil.which("wrk") is None:
        print("error: wrk is missing: apt-get install wrk", file=sys.stderr)
        return 1
    facts = contest(arguments.rounds, arguments.seconds)
    if arguments.json:
        print(json.dumps(facts))
        return 0
    if missing := {"mlflow", "bentoml"} - set(facts):
        print(f"left out: {', '.join(sorted(missing))}; how to install them: python -m bench.api --help")
    headers = ["server", *facts["stored"], "times stored's p50"]
    rows = [[name, *row.values(), row["p50_ms"] / facts["stored"]["p50_ms"]] for name, row in facts.items()]
    print(f"{HORIZON} hours a forecast; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(table(headers, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
