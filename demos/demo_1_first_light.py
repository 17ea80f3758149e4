"""First light: an app on a URL, and a dead server that no visitor notices."""

from stage import must, platform, show, wait_until

with platform() as here:
    done = here.perron("deploy", str(here.app("hello")), "--create")
    show(f"deployed: {done.stdout.strip()}")
    must(here.status("hello.localhost") == 200, "the app answers 200 at its host name")
    server = here.pid("serve")
    here.kill("serve")
    must(here.status("hello.localhost") == 200, "the server is dead, visitors are served")
    back = wait_until(lambda: here.pid("serve") not in (None, server), 10, "the server is back")
    must(back, "the server came back by itself")
    wait_until(lambda: here.perron("apps", check=False).returncode == 0, 20, "the API answers")
    doctor = here.perron("doctor", check=False).stdout
    must("enforced" in doctor, "doctor shows what the sandbox promises")
    print(doctor)
