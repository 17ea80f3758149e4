"""What is mounted can be used as promised, and nothing else can be written."""

import os
from pathlib import Path
from typing import Any

from perron.agent.sandbox import Mount


def _owned(folder: Path, uid: int) -> Path:
    folder.mkdir()
    os.chown(folder, uid, -1)
    folder.chmod(0o700)
    return folder


def test_an_interpreter_under_a_private_home_runs_and_its_neighbours_stay_hidden(
    place: Any,
) -> None:
    home = place.folder / "private"
    binary = home / "py" / "bin" / "python"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\necho ran $1\n")
    binary.chmod(0o755)
    (home / "secret").write_text("hidden")
    home.chmod(0o700)
    shown = str(home / "py")
    spec = place.spec("a", mounts=(Mount(shown, shown),), path=(f"{shown}/bin",))

    async def story() -> None:
        script = f"python 3; ls {home}; touch {shown}/x"
        running = await place.sandboxes.start(spec, ["sh", "-c", script], {})
        assert (await running.wait()).code != 0
        assert place.output(spec).startswith("ran 3\npy\n")
        assert "Read-only file system" in place.output(spec)
        assert not (home / "py" / "x").exists()

    place.run(story)


def test_a_build_writes_to_its_folder_and_cache_as_its_own_uid(place: Any) -> None:
    uid = place.spec("a").uid
    cache = _owned(place.folder / "cache", uid)
    mounts = (Mount(str(cache), "/cache", writable=True),)
    spec = place.spec("a", app_writable=True, mounts=mounts, low_priority=True)
    os.chown(spec.app, uid, -1)

    async def story() -> None:
        script = "echo made > /app/made; echo kept > /cache/kept"
        running = await place.sandboxes.start(spec, ["sh", "-c", script], {})
        assert (await running.wait()).code == 0
        assert Path(spec.app, "made").stat().st_uid == uid
        assert (cache / "kept").read_text() == "kept\n"

    place.run(story)


def test_a_volume_is_shared_by_instances_of_an_environment(place: Any) -> None:
    first = place.spec("a")
    volume = _owned(place.folder / "volume", first.uid)
    mounts = (Mount(str(volume), "/data", writable=True),)
    writer, reader = place.spec("a", mounts=mounts), place.spec("b", mounts=mounts)

    async def story() -> None:
        running = await place.sandboxes.start(writer, ["sh", "-c", "echo here > /data/x"], {})
        await running.wait()
        running = await place.sandboxes.start(reader, ["cat", "/data/x"], {})
        await running.wait()
        assert place.output(reader) == "here\n"

    place.run(story)


def test_a_finished_build_cannot_be_changed_by_its_app(place: Any) -> None:
    spec = place.spec("a")
    Path(spec.app, "code.py").write_text("fine")

    async def story() -> None:
        script = "echo bad > /app/code.py; rm /app/code.py; touch /app/new; ls -A /home/app"
        running = await place.sandboxes.start(spec, ["sh", "-c", script], {})
        await running.wait()
        assert Path(spec.app, "code.py").read_text() == "fine"
        assert not Path(spec.app, "new").exists()

    place.run(story)


def test_a_folder_of_layers_lies_over_a_read_only_build(place: Any) -> None:
    layer = place.folder / "layer"
    (layer / "bin").mkdir(parents=True)
    (layer / "bin" / "tool").write_text("#!/bin/sh\necho from the layer\n")
    (layer / "bin" / "tool").chmod(0o755)
    spec = place.spec("a", mounts=(Mount(str(layer), "/app/.venv"),))
    Path(spec.app).chmod(0o555)

    async def story() -> None:
        running = await place.sandboxes.start(spec, ["tool"], {})
        assert (await running.wait()).code == 0
        assert place.output(spec) == "from the layer\n"

    place.run(story)
