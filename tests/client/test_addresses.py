import inspect

import pytest

from perron.client import (
    AddressRefused,
    Answer,
    Client,
    Place,
    addresses,
    examining,
    people,
    verbs,
)
from perron.contract import (
    apps,
    config,
    edge,
    logs,
    operations,
    platform,
    releases,
    sessions,
    teams,
    tokens,
)
from perron.contract import examining as of_examining
from perron.contract import people as of_people
from perron.contract import volumes as of_volumes


def test_a_socket_and_hosts_are_told_apart():
    here = addresses.parse("unix:///run/api.sock")
    assert (here.socket, here.authority) == ("/run/api.sock", "localhost")
    there = addresses.parse("https://perron.example.org/base/")
    assert (there.port, there.authority, there.base) == (443, "perron.example.org", "/base")


def test_localhost_names_lead_to_this_machine_and_keep_their_host():
    local = addresses.parse("http://perron.localhost:8080")
    assert (local.connect_to, local.authority) == ("127.0.0.1", "perron.localhost:8080")
    assert addresses.parse("https://a.org").connect_to == "a.org"


@pytest.mark.parametrize("url", ["ftp://a", "http://", "unix://relative", "http://a:99999", ""])
def test_what_leads_nowhere_is_refused(url):
    with pytest.raises(AddressRefused):
        addresses.parse(url)


def test_a_password_in_a_url_is_refused_without_being_told():
    with pytest.raises(AddressRefused) as why:
        addresses.parse("https://lin:hunter2@example.org")
    assert "hunter2" not in str(why.value)


PLACE = Place("shop", "staging")
NAMES = {
    "app": "shop", "environment": "staging", "number": 4, "other": 7, "name": "TOKEN",
    "host": "a.org", "volume": "data", "run": "run_1", "instance": "web.1", "operation": "op_1",
    "risk": "tcp-open", "team": "blue", "person": "sam", "session": "ses_1", "code": "abc",
    "invitation": "inv_1", "token": "tok_1",
}  # fmt: skip
CALLS = [
    (verbs.me, (), of_people.ME),
    (verbs.create_token, ("ci", 90), tokens.TOKENS),
    (verbs.revoke_token, ("tok_1",), tokens.TOKEN),
    (people.change_me, ({},), of_people.ME),
    (people.end_session, ("ses_1",), of_people.SESSION),
    (people.login_link, (), of_people.LOGIN_LINKS),
    (people.ask_in, ("laptop",), of_people.LOGINS),
    (people.collect, ("abc", "s"), of_people.LOGIN_TOKEN),
    (lambda c, p: people.set_administrator(c, p, on=True), ("sam",), of_people.PERSON),
    (people.reset_password, ("sam",), of_people.PERSON_RESET),
    (people.erase_person, ("sam",), of_people.PERSON),
    (people.create_team, ("blue",), teams.TEAMS),
    (people.rename_team, ("blue", "red"), teams.TEAM),
    (examining.doctor, (), of_examining.DOCTOR),
    (people.delete_team, ("blue",), teams.TEAM),
    (people.change_member, ("blue", "sam", {}), teams.MEMBER),
    (people.remove_member, ("blue", "sam"), teams.MEMBER),
    (people.invite, ("blue", {}), teams.TEAM_INVITATIONS),
    (people.revoke_invitation, ("blue", "inv_1"), teams.TEAM_INVITATION),
    (people.offer, ("abc",), teams.INVITATION),
    (people.accept, ("abc",), teams.INVITATION_ACCEPT),
    (people.ask_transfer, ("shop", "red"), teams.TRANSFER),
    (people.accept_transfer, ("shop",), teams.TRANSFER_ACCEPT),
    (people.withdraw_transfer, ("shop",), teams.TRANSFER),
    (verbs.platform, (), platform.PLATFORM),
    (verbs.app, ("shop",), apps.APP),
    (verbs.create_app, ("shop",), apps.APPS),
    (verbs.environment, (PLACE,), apps.ENVIRONMENT),
    (verbs.create_environment, (PLACE,), apps.ENVIRONMENTS),
    (verbs.detect, ("shop", {}), releases.DETECT),
    (verbs.deploy, (PLACE, {}), releases.RELEASES),
    (verbs.release, (PLACE, 4), releases.RELEASE),
    (verbs.diff, (PLACE, 4, 7), releases.DIFF),
    (verbs.roll_back, (PLACE, 4), releases.ROLLBACK),
    (lambda c, p: verbs.act(c, p, "cancel"), (PLACE,), releases.CANCEL),
    (lambda c, p: verbs.act(c, p, "restart"), (PLACE,), releases.RESTART),
    (lambda c, p: verbs.act(c, p, "stop"), (PLACE,), releases.STOP),
    (lambda c, p: verbs.act(c, p, "start"), (PLACE,), releases.START),
    (verbs.scale, (PLACE,), releases.SCALE),
    (verbs.config, (PLACE,), config.CONFIG),
    (verbs.change_config, (PLACE, {}), config.CONFIG),
    (verbs.reveal, (PLACE, "TOKEN"), config.REVEAL),
    (verbs.logs, (PLACE, {}), logs.LOGS),
    (verbs.create_volume, (PLACE, {}), of_volumes.VOLUMES),
    (verbs.add_domain, (PLACE, {}), edge.DOMAINS),
    (verbs.remove_domain, (PLACE, "a.org"), edge.DOMAIN),
    (lambda c, p: verbs.maintain(c, p, on=True), (PLACE,), edge.MAINTENANCE),
    (verbs.protect, (PLACE, None, None), edge.PROTECTION),
    (verbs.operation, ("op_1",), operations.OPERATION),
    (verbs.cancel_operation, ("op_1",), operations.CANCEL),
    (verbs.run, (PLACE, {}), sessions.RUN),
]


class Recorder(Client):
    """Notes where a verb leads; sends nothing."""

    def __init__(self):
        self.paths = []

    def get(self, path, query=None):
        self.paths.append(path)
        return {}

    def send(self, method, path, body=None, *, query=None, headers=None):
        self.paths.append(path)
        return {}

    def answer(self, method, path, body=None, headers=None):
        self.paths.append(path)
        return Answer(200, {}, b"{}")


@pytest.mark.parametrize(("verb", "given", "address"), CALLS)
def test_every_verb_speaks_to_the_address_of_the_contract(verb, given, address):
    client = Recorder()
    verb(client, *given)
    assert client.paths == [address.format(**NAMES)]


def test_terminals_are_where_the_contract_says():
    assert verbs.attach_path(PLACE, "run_1") == sessions.ATTACH.format(**NAMES)
    assert verbs.exec_path(PLACE, "web.1") == sessions.EXEC.format(**NAMES)
    assert verbs.volume_path(PLACE, "data") == of_volumes.VOLUME.format(**NAMES)
    assert f"{verbs.operation_path('op_1')}/events" == operations.EVENTS.format(**NAMES)
    assert f"{PLACE.path}/logs/follow" == logs.FOLLOW.format(**NAMES)


def test_every_verb_is_explained():
    rooms = (verbs, people)
    public = [each for room in rooms for _, each in inspect.getmembers(room, inspect.isfunction)]
    public = [each for each in public if not each.__name__.startswith("_")]
    assert all(each.__doc__ for each in public)
