"""People who sign in as people do: by password, by link, by a browser's cookie."""

import pytest

PASSWORD = "correct horse battery"


@pytest.fixture
def invite(ground):
    """Let somebody in by an invitation, and return what their browser was told."""

    def invite(handle="sam", *, role="developer", team="blue", password=PASSWORD, **more):
        made = ground.http().post(f"/v1/teams/{team}/invitations", json={"role": role, **more})
        assert made.status_code == 201, made.text
        account = {"handle": handle, "name": handle.title(), "password": password}
        code = made.json()["path"].rpartition("/")[2]
        answer = ground.http("").post(f"/v1/invitations/{code}/accept", json=account)
        assert answer.status_code == 201, answer.text
        return answer.json()["session"]

    return invite


@pytest.fixture
def sign_in(ground):
    """Try to sign in; from an address, as the edge would tell it."""

    def sign_in(person, password=PASSWORD, *, address="198.51.100.7", **more):
        said = {"person": person, "password": password, **more}
        told = {"X-Forwarded-For": address}
        return ground.http("").post("/v1/sessions", json=said, headers=told)

    return sign_in
