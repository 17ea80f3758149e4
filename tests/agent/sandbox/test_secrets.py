"""The tenant's environment reaches the app, whole, and nobody else."""

import json
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
SHOW = "import json, os; print(json.dumps(dict(os.environ)), flush=True); input()"
ODD = "line one\nline 'two' \"three\" $HOME `id` \\ ü 🐍 "
SECRET = "a-secret-that-nobody-shall-see"


def test_values_arrive_as_they_were_given(place: Any) -> None:
    spec = place.spec("a")
    env = {"ODD": ODD, "EMPTY": "", "_x9": "1", "LONG": "x" * 100_000}

    async def story() -> None:
        show = SHOW.replace("; input()", "")
        running = await place.sandboxes.start(spec, [PYTHON, "-c", show], env)
        await running.wait()
        seen = json.loads(place.output(spec))
        assert {name: seen[name] for name in env} == env
        assert seen["HOME"] == "/home/app"

    place.run(story)


def test_a_secret_is_in_no_process_but_the_apps_and_in_no_file(place: Any, until: Any) -> None:
    spec = place.spec("a")

    async def story() -> None:
        script = "echo ready; sleep 100"
        running = await place.sandboxes.start(spec, ["sh", "-c", script], {"SECRET": SECRET})
        await until(lambda: place.output(spec), "ready")
        inside = {str(pid) for pid in place.living(spec)} - {str(running.child)}
        for path in Path("/proc").glob("[0-9]*"):
            assert SECRET not in _read(path / "cmdline"), path
            if path.name not in inside:
                assert SECRET not in _read(path / "environ"), path
        for path in Path(spec.state).iterdir():
            assert SECRET not in path.read_text(), path

    place.run(story)


def test_a_preloaded_library_is_obeyed_by_nothing_before_the_app(place: Any) -> None:
    """The loader complains once for each program that is told to load what is not there."""
    spec = place.spec("a")

    async def story() -> None:
        env = {"LD_PRELOAD": "/app/not-there.so"}
        running = await place.sandboxes.start(spec, ["/usr/bin/true"], env)
        assert (await running.wait()).code == 0
        assert place.output(spec).count("not-there.so") == 1

    place.run(story)


def test_the_agents_own_environment_and_files_stay_outside(place: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("PLATFORM_SECRET", SECRET)
    spec = place.spec("a")
    script = "env; ls -l /proc/self/fd /proc/1/fd 2>&1"

    async def story() -> None:
        with open(place.folder / "platform", "w") as held:
            held.write(SECRET)
            running = await place.sandboxes.start(spec, ["sh", "-c", script], {})
            await running.wait()
        assert "PLATFORM_SECRET" not in place.output(spec)
        assert str(place.folder / "platform") not in place.output(spec)

    place.run(story)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
