"""The pages of ``perron explain``: what happened, why, and what to do."""

PAGES = {
    "app-not-found": """\
No app has that name, or it belongs to a team you are not in: a stranger is told the same in
both cases.

  perron apps                 what there is
  perron whoami               who you are here
  perron deploy --create      creates the app of a first deploy""",
    "not-signed-in": """\
The token is missing, ended, or was revoked.

  perron contexts             which platform is used, and from where
  perron login URL            sign in again
In CI set PERRON_URL and PERRON_TOKEN.""",
    "forbidden": """\
You are known, and your role in the team does not allow this. Refusals are written down.
Ask an owner of the team, or an administrator.""",
    "unreachable": """\
Nobody answered, so nothing was asked of the platform. Apps keep serving without the server.

  perron status               answers even when the server is dead
  perron up                   starts what is not running
A call that changes something is repeated with the same key for 30 s before this is said, so it
is never done twice.""",
    "release-failed": """\
The release did not become healthy, or its build or release command failed. What was live
before keeps serving, and no request was lost to the new one.

  perron logs --release N --source build      what the build said
  perron logs --release N                     what the instances said
  perron releases show N                      the reason
An instance is healthy when the path in health.path answers below 500 within 60 s (2xx or 3xx
when you named the path yourself); a worker is after 3 s up.""",
    "release-superseded": """\
A newer deploy of the same environment was asked for, so this one stopped. The newest wins.
A release command that already runs is never killed by a newer deploy.""",
    "release-cancelled": """\
Somebody cancelled this release with perron cancel. What was live before goes on.""",
    "source-too-large": """\
The packed folder is larger than the platform takes.
Name what the app does not need in .perronignore (the same rules as .gitignore). .git,
node_modules, .venv and __pycache__ never go along.""",
    "disk-full": """\
The platform keeps some of its disk free, and this would not have fitted.

  perron doctor               how much there is
  perron apps destroy NAME    frees what an app no longer needed holds""",
    "conflict": """\
The request is sound, but not in the present state: something else is under way, or a name is
taken. Nothing was changed; look at the state and try again.""",
}
