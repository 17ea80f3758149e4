"""What owners and administrators do on pages: quotas, schedules, teams, people, the platform."""

import pytest

from tools.rig import pages, world
from tools.rig.platform import wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def shop(here):
    here.perron("deploy", str(here.app("shop")), "-a", "shop", "--create")
    world.others(here)
    return here


def quota(here, name):
    return next(each for each in here.json("quotas", "--team", "main") if each["name"] == name)


def test_an_administrator_sets_a_limit_and_takes_it_back(page, shop):
    page.go(pages.address(shop, "/teams/main"))
    page.click("a[href='/teams/main/quotas']")
    page.at("/teams/main/quotas")
    page.fill("#f-apps", "20")
    page.fill("#f-memory", "64 GB")
    page.click("#quotas-form .primary")
    page.at("/teams/main")
    page.sees("2 limits changed")
    assert (quota(shop, "apps")["limit"], quota(shop, "memory")["limit"]) == (20, 64 << 30)
    assert quota(shop, "cpu")["is_default"]
    page.go(pages.address(shop, "/teams/main/quotas"))
    page.fill("#f-apps", " ")
    page.click("#quotas-form .primary")
    page.sees("1 limit changed")
    assert quota(shop, "apps")["is_default"]


def test_a_limit_that_is_none_is_refused_beside_its_field(page, shop):
    page.go(pages.address(shop, "/teams/main/quotas"))
    page.fill("#f-disk", "lots")
    page.click("#quotas-form .primary")
    page.sees("'lots' is no such amount; write it like this: 200 GB.")
    assert page.read("document.querySelector('#f-disk').ariaInvalid") == "true"
    assert page.read("document.querySelector('#f-disk').value") == "lots"
    assert quota(shop, "disk")["is_default"]


def test_limits_that_two_set_at_once_are_refused_with_what_they_are_now(browser, page, shop):
    page.go(pages.address(shop, "/teams/main/quotas"))
    shop.perron("quotas", "set", "main", "instances=70")
    page.fill("#f-instances", "60")
    page.click("#quotas-form .primary")
    page.sees("It is 70 now.")
    page.click("#quotas-form .primary")
    page.at("/teams/main")
    assert quota(shop, "instances")["limit"] == 60


def test_a_schedule_is_made_run_paused_and_removed(page, shop):
    page.go(pages.address(shop, "/apps/shop/schedules"))
    assert "Nothing runs by the clock" in page.text("main")
    for name, value in (("name", "nightly"), ("schedule", "0 3 * * *"),
                        ("timezone", "Europe/Berlin"), ("command", "python3 -V"),
                        ("timeout", "10 min")):  # fmt: skip
        page.fill(f"#add-form [name={name}]", value)
    page.press("Enter")
    page.until("location.search === '?schedule=nightly'")
    page.sees("It has not come yet")
    page.click("[aria-label='Run now: nightly']")
    page.until("document.querySelector('#runs').innerText.match(/Done/)", 30)
    page.click("[aria-label='Pause nightly']")
    page.until("document.querySelector('#schedules').innerText.includes('Paused')")
    (found,) = shop.json("cron", "-a", "shop")
    assert (found["enabled"], found["timeout"], found["last"]["state"]) == (False, 600, "done")
    page.click("[commandfor=remove]")
    page.click("#remove footer button:last-child")
    page.sees("Nothing runs by the clock")
    assert shop.json("cron", "-a", "shop") == []


def test_a_schedule_that_cannot_be_is_refused_and_what_was_typed_stays(page, shop):
    page.go(pages.address(shop, "/apps/shop/schedules"))
    for name, value in (("name", "odd"), ("schedule", "61 * * * *"), ("command", "true")):
        page.fill(f"#add-form [name={name}]", value)
    page.press("Enter")
    page.until("!!document.querySelector('#add-form [role=alert]')")
    assert page.read("document.querySelector('#add-form [name=schedule]').value") == "61 * * * *"


def test_a_schedule_of_the_code_is_changed_in_the_code(page, shop):
    folder = shop.folder / "shop"
    toml = folder / "perron.toml"
    before = toml.read_text() if toml.exists() else ""
    toml.write_text(before + '\n[cron.tidy]\nschedule = "@daily"\ncommand = "python3 -V"\n')
    shop.perron("deploy", str(folder), "-a", "shop")
    page.go(pages.address(shop, "/apps/shop/schedules?schedule=tidy"))
    assert "It is written in perron.toml" in page.text("main")
    assert not page.read("!!document.querySelector('#change-form, [commandfor=remove]')")


def test_a_team_is_renamed_and_one_without_apps_is_deleted_by_typing_its_name(page, shop):
    page.go(pages.address(shop, "/teams/lab"))
    page.fill("#f-rename", "workshop")
    page.press("Enter")
    page.at("/teams/workshop")
    page.click("[commandfor=delete]")
    page.fill("#f-confirm-delete", "workshop")
    page.click("#delete footer button:last-child")
    page.at("/teams")
    page.sees("workshop is gone")
    assert [each["name"] for each in shop.json("teams")] == ["main"]
    page.go(pages.address(shop, "/teams/main"))
    assert "It has 1 app." in page.text(".danger-zone")
    assert not page.read("!!document.querySelector('[commandfor=delete]')")


def test_a_person_gets_a_new_password_by_a_link_shown_once(browser, page, shop):
    page.go(pages.address(shop, "/people"))
    page.click("a[href='/people/noor']")
    page.at("/people/noor")
    page.click("#reset-form .primary")
    page.sees("The link is made")
    link = page.read("document.querySelector('#reset-form [data-copy]').dataset.copy")
    page.go(pages.address(shop, "/people/noor"))
    assert link not in page.read("document.documentElement.outerHTML")
    noor = browser.page()
    noor.go(link)
    noor.fill("[name=password]", "thirteen pears")
    noor.press("Enter")
    noor.at("/login")
    for name, value in (("person", "noor"), ("password", "thirteen pears")):
        noor.fill(f"[name={name}]", value)
    noor.press("Enter")
    noor.at("/")
    assert "People" not in noor.text(".rail")
    noor.go(pages.address(shop, "/people"))
    assert noor.text("h1") == "That is not yours to do"
    noor.go(pages.address(shop, "/platform"))
    assert "What the doctor found" not in noor.text("main")
    noor.close()


def test_somebody_becomes_an_administrator_and_the_last_one_stays(page, shop):
    page.go(pages.address(shop, "/people/noor"))
    page.click("[commandfor=promote]")
    page.click("#promote footer button:last-child")
    page.sees("noor administers the platform from now on")
    page.click("[commandfor=demote]")
    page.click("#demote footer button:last-child")
    page.sees("noor administers the platform no more")
    page.go(pages.address(shop, "/people/administrator"))
    assert not page.read("!!document.querySelector('[commandfor=remove]')")
    page.click("[commandfor=demote]")
    page.click("#demote footer button:last-child")
    page.sees("This is the last administrator")


def test_who_is_removed_is_out_at_once_and_their_name_is_forgotten(browser, page, shop):
    noor = browser.page()
    noor.go(pages.address(shop, "/login"))
    for name, value in (("person", "noor"), ("password", "thirteen pears")):
        noor.fill(f"[name={name}]", value)
    noor.press("Enter")
    noor.at("/")
    page.go(pages.address(shop, "/people/noor"))
    page.click("[commandfor=remove]")
    page.fill("#f-confirm-remove", "noo")
    assert page.read("document.querySelector('#remove footer button:last-child').disabled")
    page.fill("#f-confirm-remove", "noor")
    page.click("#remove footer button:last-child")
    page.at("/people")
    page.sees("noor is removed")
    assert "noor" not in page.text("main table")
    noor.go(pages.address(shop, "/"))
    noor.at("/login")
    noor.close()


def test_the_platform_page_tells_what_is_found_and_the_server_keeps_its_lock(page, shop):
    server = shop.pid("serve")
    page.go(pages.address(shop, "/platform"))
    assert f"process {server}" in page.text("#doctor")
    page.until("document.querySelector('#disk').innerText.includes('State')", 20)
    assert shop.pid("serve") == server
    page.click("[aria-label='Run now: backup']")
    page.until("document.querySelector('#chores').innerText.match(/Done/)", 40)
    page.until("document.querySelector('#figures').innerText.includes('whole one')", 20)
    assert page.wrong() == []


def test_what_is_under_way_is_seen_as_it_goes(page, shop):
    page.go(pages.address(shop, "/platform"))
    page.read(
        "window.seen = ''; new MutationObserver(() => {"
        "window.seen += document.querySelector('#works')?.innerText ?? ''; })"
        ".observe(document.body, {childList: true, subtree: true})"
    )
    server = shop.folder / "shop" / "server.py"
    server.write_text(server.read_text() + "\n# once more\n")
    shop.perron("deploy", str(server.parent), "-a", "shop")
    page.until("window.seen.includes('Deploy') && window.seen.includes('shop')")
    wait_until(lambda: shop.json("operations", "now") == [], 20)
    page.until("document.querySelector('#works').innerText.includes('Nothing is built')", 20)
