"""The trail over a real database: whatever is done to it behind our back is found and named."""

import json
import stat
from pathlib import Path

from perron import audit
from perron.audit.controller import Keeper
from perron.kit.db import unit_of_work
from perron.server import upkeep


def links(trail):
    return trail.ask("SELECT position, digest, chain FROM audit_link ORDER BY position")


def test_an_untouched_trail_is_whole(trail):
    trail.happen().keep()
    found = trail.verify()
    assert found["answer"] == "whole"
    assert found["checked"] == trail.end - 1 - found["waiting"]  # verifying is an event itself
    assert found["faults"] == []


def test_without_a_signed_head_nobody_can_tell(trail):
    trail.happen()
    assert trail.verify()["answer"] == "unknown"


def test_without_the_key_nobody_can_tell(trail):
    trail.happen().keep()
    (trail.ground.home.keys / "audit.key").unlink()
    found = trail.verify()
    assert found["answer"] == "unknown"
    assert "audit.key" in found["text"]
    trail.happen(1, prefix="later").keep()
    assert not (trail.ground.home.keys / "audit.key").exists()  # a lost key is not replaced


def test_a_rebuilt_chain_is_the_same_bit_for_bit(trail):
    for round in range(4):
        trail.happen(2, prefix=f"a{round}x").keep()
    before = links(trail)
    with unit_of_work(trail.ground.database) as uow:
        audit.rebuild(uow)
    assert links(trail) == before


def test_an_edited_event_is_found_and_named(trail):
    trail.happen().keep()
    trail.sql("UPDATE event SET actor = 'per_nobody' WHERE position = 5")
    fault = trail.first_fault()
    assert (fault["kind"], fault["position"]) == ("edited", 5)


def test_every_column_of_an_event_is_covered(trail):
    trail.happen().keep()
    columns = [row[1] for row in trail.ask("PRAGMA table_info(event)")]
    for column in sorted(set(columns) - {"position"}):
        kept = trail.ask(f"SELECT {column} FROM event WHERE position = 4")[0][0]
        other = {"data": "json('{}')", "time": "'2001-01-01 00:00:00.000000'"}
        value = other.get(column, other["time"] if column == "recorded" else "'other'")
        trail.sql(f"UPDATE event SET {column} = {value} WHERE position = 4")
        assert trail.first_fault()["position"] == 4, column
        value = "NULL" if kept is None else f"'{kept}'"
        trail.sql(f"UPDATE event SET {column} = {value} WHERE position = 4")
        assert trail.verify()["answer"] == "whole", column


def test_two_exchanged_events_are_found_and_named(trail):
    trail.happen().keep()
    trail.sql(
        "UPDATE event SET position = -1 WHERE position = 3",
        "UPDATE event SET position = 3 WHERE position = 6",
        "UPDATE event SET position = 6 WHERE position = -1",
    )
    found = trail.verify()
    assert [(each["kind"], each["position"]) for each in found["faults"]] == [
        ("moved", 3),
        ("moved", 6),
    ]
    assert "written down as event 6" in found["faults"][0]["text"]


def test_a_cut_tail_is_found_although_the_chain_was_cut_with_it(trail):
    trail.happen().keep()
    end = trail.end
    trail.sql(
        f"DELETE FROM event WHERE position > {end - 2}",
        f"DELETE FROM audit_link WHERE position > {end - 2}",
    )
    fault = trail.first_fault()
    assert (fault["kind"], fault["position"]) == ("cut", end - 1)


def test_an_event_taken_out_of_the_middle_is_found(trail):
    trail.happen().keep()
    trail.sql("DELETE FROM event WHERE position = 4")
    assert trail.first_fault()["kind"] == "missing"
    trail.sql("DELETE FROM audit_link WHERE position = 4")
    fault = trail.first_fault()
    assert (fault["kind"], fault["position"]) == ("chain", 5)


def test_a_chain_made_anew_over_an_edit_does_not_fit_the_head(trail):
    trail.happen().keep()
    end = trail.end
    trail.sql("UPDATE event SET actor = 'per_nobody' WHERE position = 5")
    with unit_of_work(trail.ground.database) as uow:
        audit.rebuild(uow)
    fault = trail.first_fault()
    assert fault["kind"] == "rewritten"
    assert fault["position"] <= 5 <= end
    assert trail.head()["fault"]["kind"] == "rewritten"


def test_an_older_database_in_its_place_is_found_and_nothing_is_signed_over_it(trail, tmp_path):
    trail.happen().keep()
    trail.copy(tmp_path / "old.db")
    old_end = trail.end
    trail.happen(prefix="later").keep()
    new_end = trail.end
    trail.put(tmp_path / "old.db")
    Keeper(trail.ground.database, trail.ground.home).look()
    shown = trail.head()
    assert shown["head"]["position"] == new_end
    assert shown["fault"]["kind"] == "cut"
    fault = trail.first_fault()
    assert (fault["kind"], fault["position"]) == ("cut", old_end + 1)


def test_a_head_kept_elsewhere_shows_what_every_file_here_hides(trail, tmp_path):
    trail.happen().keep(for_good=True)
    trail.copy(tmp_path / "old.db")
    published = {each.name: each.read_bytes() for each in trail.folder.iterdir()}
    trail.happen(prefix="later").keep(for_good=True)
    kept = trail.head()["head"]
    trail.put(tmp_path / "old.db")
    for name, content in published.items():
        (trail.folder / name).write_bytes(content)
    assert trail.verify()["answer"] == "whole"  # everything on this machine was put back together
    found = trail.verify(head=kept)
    assert found["answer"] == "broken"
    assert found["faults"][0]["kind"] == "cut"


def test_a_forged_head_is_refused(trail):
    trail.happen().keep()
    kept = trail.head()["head"] | {"position": 2}
    answer = trail.root.post("/v1/audit/verify", json={"head": kept})
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("HeadRefused")


def test_a_head_taken_out_of_the_journal_is_found(trail):
    for round in range(3):
        trail.happen(1, prefix=f"a{round}x").keep(for_good=True)
    journal = trail.folder / "heads.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text(lines[0] + lines[2])
    assert trail.first_fault()["kind"] == "head"
    journal.write_text("".join(lines).replace(json.loads(lines[1])["chain"], "0" * 64))
    assert trail.first_fault()["kind"] == "head"
    journal.write_text("".join(lines))
    (trail.folder / "head.json").unlink()
    assert trail.first_fault()["kind"] == "head"


def test_half_a_line_in_the_journal_does_no_harm(trail):
    trail.happen(1).keep(for_good=True)
    with (trail.folder / "heads.jsonl").open("a") as journal:
        journal.write('{"kind": "head", "posi')
    trail.happen(1, prefix="later").keep(for_good=True)
    assert trail.verify()["answer"] == "whole"


def test_the_key_is_ours_alone(trail):
    trail.happen().keep()
    key = trail.ground.home.keys / "audit.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes() not in Path(trail.ground.home.database).read_bytes()


def test_a_changed_address_is_found(trail):
    http = trail.ground.http(**{"X-Forwarded-For": "203.0.113.7"})
    http.post("/v1/apps", json={"name": "blog"})
    trail.keep()
    trail.sql("UPDATE origin SET address = '198.51.100.1' WHERE address = '203.0.113.7'")
    fault = trail.first_fault()
    assert fault["kind"] == "origin"


def test_a_restored_backup_restarts_the_chain_and_says_so(trail, tmp_path, monkeypatch):
    trail.happen().keep(for_good=True)
    trail.copy(tmp_path / "backup.db")
    trail.happen(prefix="later").keep()
    cut = trail.end
    trail.ground.database.dispose()
    (trail.ground.home.path / "settings.json").write_text("{}")
    trail.ground.home.run.mkdir(exist_ok=True)
    monkeypatch.setenv("PERRON_HOME", str(trail.ground.home.path))
    assert upkeep.restore(str(tmp_path / "backup.db"), keys=None, replace_=False) == 0
    Keeper(trail.ground.database, trail.ground.home).look(for_good=True)
    (told,) = trail.ground.events("perron.audit.restarted.v1")
    assert told["data"]["cut_position"] == cut
    assert "backup.db" in told["data"]["why"]
    trail.happen(prefix="after").keep(for_good=True)
    assert trail.verify()["answer"] == "whole"


def test_a_head_from_before_a_restore_says_that_it_was_given_up(trail, tmp_path, monkeypatch):
    trail.happen().keep()
    trail.copy(tmp_path / "backup.db")
    trail.happen(prefix="later").keep()
    kept = trail.head()["head"]
    audit.note_restored(trail.ground.home, tmp_path / "backup.db")
    trail.put(tmp_path / "backup.db")
    trail.keep()
    found = trail.verify(head=kept)
    assert found["faults"][0]["kind"] == "restarted"
    assert "backup.db" in found["text"]


def test_an_administrator_can_accept_a_loss_and_is_named_for_ever(trail, tmp_path):
    trail.happen().keep()
    trail.copy(tmp_path / "old.db")
    trail.happen(prefix="later").keep()
    trail.put(tmp_path / "old.db")
    assert trail.root.post("/v1/audit/restart", json={"why": "Power cut."}).status_code == 201
    trail.keep(for_good=True)
    assert trail.verify()["answer"] == "whole"
    (told,) = trail.ground.events("perron.audit.restarted.v1")
    assert told["actor_kind"] == "person"
    assert told["data"]["why"] == "Power cut."
    assert trail.root.post("/v1/audit/restart", json={"why": "Again."}).status_code == 409


def test_an_edited_event_stays_edited_whatever_is_accepted(trail):
    trail.happen().keep()
    trail.sql("UPDATE event SET actor = 'per_nobody' WHERE position = 5")
    assert trail.root.post("/v1/audit/restart", json={"why": "Hush."}).status_code == 409
    trail.happen(prefix="later").keep(for_good=True)
    assert trail.first_fault()["position"] == 5


def test_later_tampering_is_told_beside_earlier(trail):
    trail.happen(4).keep()
    trail.sql("UPDATE event SET actor = 'per_nobody' WHERE position IN (5, 9)")
    assert [each["position"] for each in trail.verify()["faults"]] == [5, 9]


def test_events_from_before_the_trail_are_chained_from_the_first(trail):
    trail.happen().keep()
    assert [row[0] for row in links(trail)] == list(range(1, trail.end + 1))


def test_dying_between_the_note_of_a_restore_and_the_restore_accuses_nobody(trail, tmp_path):
    trail.happen().keep()
    trail.copy(tmp_path / "backup.db")
    trail.happen(prefix="later").keep()
    audit.note_restored(trail.ground.home, tmp_path / "backup.db")
    Keeper(trail.ground.database, trail.ground.home).look()
    assert trail.verify()["answer"] == "whole"


def test_a_backup_from_before_the_trail_can_be_restored(trail, tmp_path):
    trail.copy(tmp_path / "backup.db")
    trail.happen().keep()
    audit.note_restored(trail.ground.home, tmp_path / "backup.db")
    trail.put(tmp_path / "backup.db")
    Keeper(trail.ground.database, trail.ground.home).look(for_good=True)
    assert trail.verify()["answer"] == "whole"
