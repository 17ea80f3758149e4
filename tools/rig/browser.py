"""A person at a browser: goes to pages, types and presses keys, and sees what went wrong."""

import base64
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .chromium import Chromium

AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
SERIOUS = ("serious", "critical")
WATCH = """
window.__shift = 0; window.__refused = []; window.__moved = [];
new PerformanceObserver((list) => {
  for (const e of list.getEntries()) if (!e.hadRecentInput) {
    window.__shift += e.value;
    const names = e.sources.map(({node}) => node?.id || node?.className || node?.nodeName);
    window.__moved.push([e.value, ...names]);
  }
}).observe({type: "layout-shift", buffered: true});
document.addEventListener("securitypolicyviolation",
  (e) => window.__refused.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile || ""}`));
"""
KEYS = {
    "Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, ""), "ArrowDown": (40, ""),
    "ArrowUp": (38, ""), "ArrowLeft": (37, ""), "ArrowRight": (39, ""), "Home": (36, ""),
    "End": (35, ""), "Backspace": (8, ""), " ": (32, " "),
}  # fmt: skip
CONTROL, SHIFT = 2, 8


@dataclass
class Traffic:
    """What one page load cost and what went wrong on it."""

    requests: int = 0
    bytes: int = 0
    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Browser:
    """One Chromium; every ``page`` is a tab of a person of its own (cookies are not shared)."""

    def __init__(self) -> None:
        self.chromium = Chromium()

    def page(self, *, like: "Page | None" = None) -> "Page":
        """Open a tab: for somebody new, or for who sits at ``like`` already."""
        if like:
            return Page(self.chromium, like.context)
        made = self.chromium.call("Target.createBrowserContext")
        return Page(self.chromium, made["browserContextId"])

    def close(self) -> None:
        """End the browser."""
        self.chromium.close()


class Page:
    """One tab. What it does is waited for; nothing here sleeps and hopes."""

    def __init__(self, chromium: Chromium, context: str) -> None:
        self.chromium, self.context = chromium, context
        self.traffic = Traffic()
        where = {"url": "about:blank", "browserContextId": context}
        self.target = chromium.call("Target.createTarget", where)["targetId"]
        told = {"targetId": self.target, "flatten": True}
        self.session = chromium.call("Target.attachToTarget", told)["sessionId"]
        chromium.listeners[self.session] = self._heard
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        self.size(1440)

    def call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Say something of the browser's protocol."""
        return self.chromium.call(method, params, self.session)

    def size(self, width: int, height: int | None = None) -> None:
        """Make the window so wide; narrow ones are phones."""
        self.width, self.height = width, height or (844 if width < 600 else 900)
        metrics = {"width": width, "height": self.height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", metrics)

    def theme(self, name: str) -> None:
        """Let the person's system be light or dark, and want no motion: so all stands still."""
        features = [
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", {"features": features})

    def script(self, on: bool) -> None:
        """Let pages run script, or not."""
        self.call("Emulation.setScriptExecutionDisabled", {"value": not on})

    def go(self, url: str, within: float = 15.0) -> "Page":
        """Open an address, and be there when all of it is."""
        self.traffic = Traffic()
        went = self.call("Page.navigate", {"url": url})
        if went.get("errorText"):
            raise AssertionError(f"{url}: {went['errorText']}")
        self.settled(within)
        return self

    def settled(self, within: float = 15.0) -> None:
        """Wait until the document is complete and painted."""
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'", within)
        self.chromium.listen()

    def read(self, expression: str) -> Any:
        """Give what an expression says on this page; promises are waited for."""
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True,
                 "userGesture": True}  # fmt: skip
        answer = self.call("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            said = details.get("exception", {}).get("description", details["text"])
            raise AssertionError(f"{expression[:200]}: {said}")
        return answer["result"].get("value")

    def until(self, expression: str, within: float = 10.0) -> Any:
        """Look again until it is so."""
        end = time.monotonic() + within
        while True:
            try:
                if found := self.read(expression):
                    return found
            except (AssertionError, RuntimeError) as error:  # the page is just changing
                last = str(error)
            else:
                last = ""
            if time.monotonic() > end:
                raise AssertionError(
                    f"it never became so: {expression} {last}\n{self.text()[:1500]}"
                )
            self.chromium.listen()

    def text(self, selector: str = "body") -> str:
        """Give the words a person sees there."""
        return str(self.read(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def sees(self, words: str, within: float = 10.0) -> None:
        """Wait for words on the page."""
        self.until(f"document.body.innerText.includes({json.dumps(words)})", within)

    def at(self, path: str, within: float = 15.0) -> None:
        """Wait to be at a page, wholly."""
        self.until(f"location.pathname === {json.dumps(path)}", within)
        self.settled(within)

    def focus(self, selector: str) -> None:
        """Put the focus there."""
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        self.read(f"document.querySelector({json.dumps(selector)}).focus()")

    def click(self, selector: str) -> None:
        """Press something with the mouse, in its middle."""
        spot = self.until(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return 0;"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const b = e.getBoundingClientRect();"
            "return b.width ? [b.x + b.width / 2, b.y + b.height / 2] : 0; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            at = {"type": kind, "x": spot[0], "y": spot[1], "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", at)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", {"text": text})

    def fill(self, selector: str, text: str) -> None:
        """Type into a field, in place of what it holds."""
        self.focus(selector)
        self.read(f"document.querySelector({json.dumps(selector)}).select?.()")
        self.type(text)

    def press(self, *keys: str) -> None:
        """Press keys one after the other; ``Control+k`` holds one meanwhile."""
        for each in keys:
            *held, key = each.split("+") if len(each) > 1 else [each]
            modifiers = CONTROL * ("Control" in held) + SHIFT * ("Shift" in held)
            code, text = KEYS.get(key, (ord(key.upper()[0]), key))
            said = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
            said |= {"text": text} if text and not modifiers & CONTROL else {}
            self.call("Input.dispatchKeyEvent", {"type": "keyDown", **said})
            self.call("Input.dispatchKeyEvent", {"type": "keyUp", **said})

    def tab_to(self, selector: str, most: int = 80) -> None:
        """Reach something by Tab alone, as a person without a mouse would."""
        for _ in range(most):
            if self.read(f"document.activeElement?.matches({json.dumps(selector)}) ?? false"):
                return
            self.press("Tab")
        raise AssertionError(f"Tab does not reach {selector} in {most} steps")

    def screenshot(self, to: Path, *, whole: bool = True) -> Path:
        """Keep a picture of the window, or of the whole page: then the window grows to fit."""
        if whole:
            box = self.call("Page.getLayoutMetrics")["cssContentSize"]
            self.size(self.width, max(self.height, min(int(box["height"]), 6000)))
            self.read("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
        picture = self.call("Page.captureScreenshot", {"format": "png"})["data"]
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(base64.b64decode(picture))
        self.size(self.width)
        return to

    def violations(self) -> list[str]:
        """Say what axe finds serious or critical, with the elements it means."""
        if not self.read("typeof axe === 'object'"):
            self.call("Runtime.evaluate", {"expression": AXE.read_text()})
        found = self.read(
            "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
            "[v.impact, v.id, v.help, v.nodes.map(n => n.html.slice(0, 160)).slice(0, 4)]))"
        )
        return [f"{v[0]} {v[1]}: {v[2]} {v[3]}" for v in found if v[0] in SERIOUS]

    def shift(self) -> float:
        """How much moved without being asked (CLS)."""
        return float(self.read("window.__shift"))

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.read("document.documentElement.scrollWidth - innerWidth"))

    def wrong(self) -> list[str]:
        """What the console, the network and the policy complained about since ``go``."""
        self.chromium.listen()
        refused = self.read("window.__refused") or []
        return [*self.traffic.errors, *self.traffic.failed, *refused]

    def first_paint(self) -> float:
        """Milliseconds to the first contentful paint."""
        return float(
            self.until("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        )

    def close(self) -> None:
        """Close the tab."""
        self.chromium.listeners.pop(self.session, None)
        self.chromium.call("Target.closeTarget", {"targetId": self.target})

    def _heard(self, event: str, told: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.traffic.requests += not told["request"]["url"].startswith("data:")
        elif event == "Network.loadingFinished":
            self.traffic.bytes += int(told["encodedDataLength"])
        elif event == "Network.loadingFailed" and not told.get("canceled"):
            self.traffic.failed.append(f"{told['type']} {told['errorText']}")
        elif event == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            said = details.get("exception", {}).get("description", details["text"])
            self.traffic.errors.append(str(said))
        elif event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.traffic.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif event == "Runtime.consoleAPICalled" and told["type"] == "error":
            self.traffic.errors.append(str([a.get("value") for a in told["args"]]))
