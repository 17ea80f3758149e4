"""Takes whatever a Procfile or perron.toml says how to run, with nothing to install."""

from typing import ClassVar

from perron.builds.model import versions
from perron.builds.model.detected import BuildRefused, Found
from perron.builds.model.shell import with_interpreter, with_steps
from perron.builds.ports import Project
from perron.contract.node import BuildPlan, BuildStep, Interpreter


class ProcfileDetector:
    """Anything that says itself how it runs."""

    name: ClassVar[str] = "procfile"
    order: ClassVar[int] = 90
    version: ClassVar[int] = 1
    looks_for: ClassVar[str] = "Procfile, or [process.web] command in perron.toml"

    def detect(self, project: Project) -> Found | None:
        """Return a plan without dependencies, None when nobody says what to run."""
        told = [name for name in project.procfile if name != "release"]
        told += [name for name, spec in project.app_file.processes.items() if "command" in spec]
        if not told:
            return None
        plan = BuildPlan()
        for interpreter in _offered(project):
            plan = with_interpreter(plan, interpreter)
        command = project.app_file.build.command
        if command:
            plan = with_steps(plan, BuildStep(title=f"Building: {command[:60]}", command=command))
        where = "Procfile" if project.procfile else "perron.toml"
        return Found(f"{where} says what to run", plan)


def _offered(project: Project) -> list[Interpreter]:
    """Return the newest of each language the machine offers: a command may use any."""
    found = []
    for language, wanted in (
        ("python", project.app_file.build.python),
        ("node", project.app_file.build.node),
    ):
        try:
            chosen = versions.choose(language, wanted, "perron.toml", project.interpreters)
            found.append(chosen)
        except BuildRefused:
            if wanted:
                raise
    return found
