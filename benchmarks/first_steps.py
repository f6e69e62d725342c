"""Times the README's commands in a fresh clone: `make run` until it serves, `make test`, and `handpicked demo`.

    python benchmarks/first_steps.py [--json] [--skip test] > docs/times.md

Beside them a calibration loop and an fsync, so that the numbers of two machines can be told apart. Installing
depends on the network and on pip's cache; both are left as they are.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def calibration() -> float:
    """Seconds of ten million additions in Python: the median of five."""
    times = []
    for _ in range(5):
        started, total = time.perf_counter(), 0
        for number in range(10_000_000):
            total += number
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def fsync() -> float:
    """Milliseconds of a written and synced page: the median of a hundred."""
    times = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(100):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def time_run(clone: Path) -> float:
    """Seconds from `make run` in an empty clone until the sign-in page answers; the server is ended after that."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}"], cwd=clone, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                    return time.perf_counter() - started
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        raise SystemExit("make run ended before it served")
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def time_command(command: list[str], clone: Path) -> float:
    """Seconds of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(command, cwd=clone, check=True, stdout=sys.stderr)
    return time.perf_counter() - started


def measure(skip: list[str]) -> dict[str, object]:
    """All times, in one run."""
    with tempfile.TemporaryDirectory(prefix="handpicked-clone-") as folder:
        clone = Path(folder) / "handpicked"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        times: dict[str, float] = {"make run, until it serves": time_run(clone)}
        if "demo" not in skip:
            times["handpicked demo"] = time_command([".venv/bin/handpicked", "demo"], clone)
        if "test" not in skip:
            times["make test, both databases"] = time_command(["make", "test"], clone)
    return {
        "seconds": {name: round(value, 1) for name, value in times.items()},
        "calibration_seconds": round(calibration(), 3),
        "fsync_ms": round(fsync(), 3),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--skip", action="append", default=[], choices=("demo", "test"))
    options = parser.parse_args()
    found = measure(options.skip)
    if options.json:
        print(json.dumps(found))
        return
    print("# Times\n\nMade by `python benchmarks/first_steps.py > docs/times.md`, in a fresh clone.\n")
    print("| what | seconds |\n| --- | --- |")
    for name, value in found["seconds"].items():  # type: ignore[attr-defined]
        print(f"| {name} | {value} |")
    print(
        f"\n{found['system']}, {found['cores']} cores, Python {found['python']}; ten million additions in "
        f"{found['calibration_seconds']} s, an fsync in {found['fsync_ms']} ms."
    )


if __name__ == "__main__":
    main()
