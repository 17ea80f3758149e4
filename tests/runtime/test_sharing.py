"""Whether apps of several teams may share a machine, decided from what keeps them apart."""

import pytest

from perron import catalog, runtime
from perron.contract.node import Promise
from perron.runtime.engines.memory import MemoryEngine
from perron.runtime.model import why_one_team

ACCEPT = "/v1/platform/accepted/tcp-open"
PROMISES = "/v1/platform/promises"


def standing(**codes):
    return [Promise(name=code, code=code, standing=how) for code, how in codes.items()]


@pytest.mark.parametrize(
    ("promises", "accepted", "told"),
    [
        (standing(files="enforced", tcp="enforced"), [], ""),
        (standing(files="enforced", tcp="open"), [], "accept tcp-open"),
        (standing(files="enforced", tcp="open"), ["tcp-open"], ""),
        (standing(files="open", tcp="open"), ["tcp-open"], "files and processes"),
        (standing(files="enforced", tcp="unknown"), [], "accept tcp-open"),
        (standing(files="enforced", udp="open", cpu="open"), [], ""),
        ([], [], ""),
    ],
)
def test_one_team_alone_where_apps_could_reach_each_other(promises, accepted, told):
    why = why_one_team(promises, accepted)
    assert told in why
    assert bool(why) == bool(told)


@pytest.fixture
def engine(ground):
    engine = MemoryEngine(ground.home)
    engine.promises = standing(files="enforced", tcp="open")
    runtime.use(ground.home, engine)
    return engine


@pytest.fixture
def teams(ground, engine):
    """Team blue has a release; team red has an app, and its owner's token is told."""
    red = ground.person("stranger")
    with ground.writing() as uow:
        catalog.add_app(uow, "blog", team=ground.red)
    assert _deploy(ground.http(), "shop").status_code == 202
    return ground.http(red)


def _deploy(http, app):
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("Procfile")
        text = b"web: python3 app.py\n"
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    source = http.put(f"/v1/apps/{app}/sources", content=packed.getvalue()).json()
    path = f"/v1/apps/{app}/environments/production/releases"
    return http.post(path, json={"source": source["digest"]})


def test_a_second_team_is_refused_where_tcp_is_open_and_told_what_to_do(ground, teams):
    refused = _deploy(teams, "blog")
    assert refused.status_code == 409
    assert "perron platform accept tcp-open" in refused.json()["detail"]
    assert "shop" not in refused.text
    assert _deploy(ground.http(), "shop").status_code in (202, 409)  # the first goes on
    shown = teams.get(PROMISES).json()
    assert shown["several_teams"] is False
    assert {"code": "tcp", "name": "tcp", "standing": "open", "advice": ""} in shown["promises"]


def test_an_administrator_accepts_it_once_and_everybody_sees_who(ground, teams):
    assert teams.put(ACCEPT).status_code == 403
    root = ground.http(ground.root)
    for _ in range(2):
        shown = root.put(ACCEPT).json()
        assert shown["several_teams"] is True
    assert [each["risk"] for each in teams.get(PROMISES).json()["accepted"]] == ["tcp-open"]
    (event,) = ground.events("perron.risk.accepted.v1")
    assert event["data"] == {"risk": "tcp-open"}
    assert _deploy(teams, "blog").status_code == 202


def test_what_was_accepted_can_be_taken_back(ground, teams):
    root = ground.http(ground.root)
    root.put(ACCEPT)
    assert root.delete(ACCEPT).json()["several_teams"] is False
    assert root.delete(ACCEPT).status_code == 200
    assert len(ground.events("perron.risk.refused.v1")) == 1
    assert _deploy(teams, "blog").status_code == 409


def test_nobody_accepts_what_is_no_risk(ground, engine):
    refused = ground.http(ground.root).put("/v1/platform/accepted/files")
    assert refused.status_code == 404
    assert "tcp-open" in refused.json()["detail"]
