"""Nothing is lost: redeploys, scale changes and a broken release under every kind of load."""

from stage import must, platform, show, times, wait_until

from tools.rig import Load

DEPLOYS, SCALES = times(20, 2), times(20, 2)

with platform() as here:
    folder = here.app("load")
    source = (folder / "app.py").read_text()
    here.perron("deploy", str(folder), "-a", "load", "--create")
    with Load(here.http_port, "load.localhost") as load:
        wait_until(lambda: load.tally.requests > 100, what="the load runs")
        for number in range(DEPLOYS):
            (folder / "app.py").write_text(source.replace('"blue"', f'"blue {number}"'))
            here.perron("deploy", str(folder), "-a", "load")
            show(f"redeploy {number + 1} of {DEPLOYS}: {sum(load.tally.lost.values())} lost")
        for number in range(SCALES):
            here.perron("scale", "-a", "load", f"web={1 + (number + 1) % 3}")
            show(f"scale {number + 1} of {SCALES}: {sum(load.tally.lost.values())} lost")
        broken = here.app("broken")
        refused = here.perron("deploy", str(broken), "-a", "load", check=False)
        show(f"a broken release ended with {refused.returncode}")
        print(refused.stderr)
        must(refused.returncode == 1, "the broken release exits 1")
        must("Session store gave up" in refused.stderr, "its last lines are shown")
    show(str(load.tally))
    must(not load.tally.lost, "no visitor lost anything")
    must(len(load.tally.releases) > DEPLOYS, "visitors saw every release")
