"""Recognises static sites: an index.html, or the folder that perron.toml publishes."""

from typing import ClassVar

from perron.builds.model import site, versions
from perron.builds.model.detected import BuildRefused, Found
from perron.builds.model.shell import with_interpreter, with_steps
from perron.builds.ports import Project
from perron.contract.node import BuildPlan, BuildStep

_FOLDERS = (".", "public", "dist", "build", "out", "site", "_site", "docs")


class StaticDetector:
    """A static site, served by nginx."""

    name: ClassVar[str] = "static"
    order: ClassVar[int] = 30
    version: ClassVar[int] = 1
    looks_for: ClassVar[str] = "index.html, or [build] publish in perron.toml"

    def detect(self, project: Project) -> Found | None:
        """Return how to serve the site, None when there is none."""
        folder = _folder(project)
        if folder is None or not project.needs_web:
            return None
        python = versions.choose("python", None, "The platform", project.interpreters)
        plan = with_interpreter(BuildPlan(read=[project.tools.nginx]), python)
        command = project.app_file.build.command
        if command:
            plan = with_steps(plan, BuildStep(title=f"Building: {command[:60]}", command=command))
        ready = site.prepare(folder, python, spa=project.app_file.build.spa)
        shown = "this folder" if folder == "." else folder
        return Found(
            f"A static site, because of {_because(project, folder)}; {shown} is served",
            with_steps(plan, ready),
            {"web": site.serve(project.tools.nginx)},
        )


def _folder(project: Project) -> str | None:
    publish = project.app_file.build.publish
    if publish:
        _check(project, publish)
        return publish
    for folder in _FOLDERS:
        if project.has("index.html" if folder == "." else f"{folder}/index.html"):
            return folder
    return None


def _check(project: Project, publish: str) -> None:
    there = publish == "." or any(name.startswith(f"{publish}/") for name in project.files)
    if not there and not project.app_file.build.command:
        raise BuildRefused(
            f"perron.toml publishes {publish!r}, but there is no such folder in the source."
        )


def _because(project: Project, folder: str) -> str:
    if project.app_file.build.publish:
        return "[build] publish in perron.toml"
    return "index.html" if folder == "." else f"{folder}/index.html"
