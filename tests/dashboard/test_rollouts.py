"""How a release went live, as stops of a line; and what differs between two."""

from perron.dashboard import changes, rollouts

T = "2026-11-21T10:23:{:02}Z"


def mark(name, state, started=None, finished=None, message=""):
    times = {"started": started and T.format(started), "finished": finished and T.format(finished)}
    return {"name": name, "state": state, "message": message} | times


def said(step, text, **facts):
    return {"position": 1, "at": T.format(1), "step": step, "text": text, "facts": facts}


def operation(*steps, state="running", progress=(), **more):
    return {"id": "op_1", "work": "releases.deploy", "state": state, "reason": None,
            "asked": T.format(41), "finished": None, "steps": list(steps),
            "progress": list(progress), **more}  # fmt: skip


def signs(ride):
    return {stop.name: stop.sign for stop in ride.stops}


def test_what_is_still_to_come_is_on_the_line_already():
    ride = rollouts.ride(operation(mark("build", "started", 41)))
    assert signs(ride) == {"build": "now", "release": "todo", "start": "todo", "routes": "todo",
                           "drain": "todo"}  # fmt: skip
    assert ride.is_moving
    assert ride.at == "Build"


def test_a_release_command_that_is_none_is_no_stop():
    built = mark("build", "done", 41, 42)
    ride = rollouts.ride(operation(built, mark("release", "done", 42, 42), state="done"))
    assert "release" not in signs(ride)
    spoke = rollouts.ride(
        operation(mark("release", "done", 42, 43), progress=[said("release", "Migrated.")])
    )
    assert signs(spoke)["release"] == "done"


def test_a_stop_says_what_was_detected_else_its_last_word():
    told = [said("build", "Python, because of uv.lock", detected="python"), said("build", "Built."),
            said("start", "1 of 3 healthy."), said("start", "2 of 3 healthy.")]  # fmt: skip
    ride = rollouts.ride(
        operation(mark("build", "done", 41, 43), mark("start", "started", 44), progress=told)
    )
    assert [(stop.said, stop.took) for stop in ride.stops if stop.said] == [
        ("Python, because of uv.lock", "2.0 s"),
        ("2 of 3 healthy", ""),
    ]
    assert ride.at == "2 of 3 healthy"


def test_a_failure_names_its_reason_and_shows_the_last_lines():
    told = [said("start", "web.1 exited", lines=["reading", "KeyError"], instance="web.1")]
    ride = rollouts.ride(
        operation(mark("start", "failed", 44, 45, "exited with code 1"), state="failed",
                  progress=told, reason="web.1 did not become healthy", finished=T.format(45))
    )  # fmt: skip
    failed = next(stop for stop in ride.stops if stop.sign == "failed")
    assert (failed.said, ride.lines, ride.lines_of) == (
        "exited with code 1", ("reading", "KeyError"), "web.1")  # fmt: skip
    assert (ride.is_moving, ride.took) == (False, "4.0 s")


def test_what_was_left_half_way_moves_no_more():
    ride = rollouts.ride(operation(mark("start", "started", 44), state="superseded"))
    assert signs(ride)["start"] == "todo"


def test_other_work_shows_the_steps_it_has():
    ride = rollouts.ride(operation(mark("settle", "done", 41, 42)) | {"work": "releases.scale"})
    assert [stop.title for stop in ride.stops] == ["Settled"]


def release(**facts):
    return {"kind": "deploy", "rolled_back_to": None, "provenance": {}} | facts


def test_a_change_is_named_by_what_tells_most():
    commits = {"commits": [{"sha": "a" * 40, "subject": "Show the fee"}], "sha": "a" * 40}
    assert changes.change(release(provenance=commits)) == "Show the fee"
    assert changes.change(release(provenance=commits, rolled_back_to=3)) == "Back to 3"
    assert changes.change(release(provenance=commits, kind="config")) == "New configuration"
    sha = {"sha": "b" * 40, "branch": "main"}
    assert changes.change(release(provenance=sha)) == "bbbbbbb of main"
    assert changes.change(release()) == "A folder without git"


DIFF = {"build": ["1" * 64, "2" * 64],
        "processes": {"web": ["old", "new"], "clock": [None, "tick"]},
        "config_added": ["B"], "config_removed": [], "config_changed": ["C"],
        "commits": [{"sha": "c" * 40, "subject": "Fee", "author": "Lin <lin@example.org>"}],
        "settings": {"health": ["/a", "/a"]}}  # fmt: skip


def test_only_what_differs_is_shown_and_never_a_value():
    rows = {row.part: row for row in changes.differences(DIFF)}
    assert list(rows) == ["Commits", "Build", "Config", "Process web", "Process clock"]
    assert rows["Config"].come == ("B = ••••", "C = ••••")
    assert rows["Config"].gone == ("C = ••••",)
    assert rows["Process clock"].gone == ()
    assert rows["Commits"].said == ("ccccccc Fee, by Lin",)


def test_settings_of_a_process_that_came_or_went_are_not_told_again():
    settings = {"process.clock.sticky": [None, False], "process.web.health_path": ["/a", None],
                "process.web.drain_timeout": [30.0, 5.5], "release_command": [None, "migrate"],
                "process.web.sticky": [False, True]}  # fmt: skip
    rows = {row.part: row for row in changes.differences(DIFF | {"settings": settings})}
    assert [name for name in rows if name not in ("Commits", "Build", "Config")] == [
        "Process web", "Process clock", "web, health path", "web, drain timeout",
        "release command", "web, sticky",
    ]  # fmt: skip
    assert (rows["web, drain timeout"].gone, rows["web, drain timeout"].come) == (("30",), ("5.5",))
    assert (rows["web, sticky"].gone, rows["web, sticky"].come) == (("no",), ("yes",))


def test_going_back_takes_commits_away():
    assert changes.differences(DIFF, is_back=True)[0].gone == ("ccccccc Fee, by Lin",)


def test_no_stop_leaves_the_line_while_one_looks():
    steps = mark("build", "done", 41, 42), mark("release", "done", 42, 42)
    moving, over = (rollouts.ride(operation(*steps, state=state)) for state in ("running", "done"))
    assert list(signs(moving)) == ["build", "release", "start", "routes", "drain"]
    assert "release" not in signs(over)
