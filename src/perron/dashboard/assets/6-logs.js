// The log goes on live: lines come straight from the platform, are drawn once a frame, and the
// oldest give way, so that a busy day stays as quick as a quiet one.
{
  const log = $("#log[data-follow]"), live = $("#live"), pause = $("#pause");
  const MOST = 2000, HELD = 5000;
  if (log) {
    log.scrollTop = log.scrollHeight;
    const { searched, level } = log.dataset;
    const isError = new RegExp(log.dataset.error), isWarn = new RegExp(log.dataset.warn), isRefused = new RegExp(log.dataset.refused);
    const escaped = searched.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const hits = searched && new RegExp(`(${escaped})`, "i");
    const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
    let coming = [], dropped = 0, hidden = 0, paused = false, drawing = false, stream, after = log.dataset.after, heard = [];

    const levelOf = ({ text, source }) => (isError.test(text) || (source === "router" && isRefused.test(text)) ? "error" : isWarn.test(text) ? "warn" : "info");
    const fits = (line) => !level || line.level === level || (level === "warn" && line.level === "error");
    function gap(text) {
      const item = document.createElement("li"), said = document.createElement("span");
      item.className = "gap", said.textContent = text;
      item.append(said);
      return item;
    }
    function drawn(line) {
      const item = document.createElement("li"), time = document.createElement("time");
      const from = document.createElement("span"), text = document.createElement("span");
      item.id = `l${line.cursor}`;
      if (line.level !== "info") item.dataset.level = line.level;
      if (line.source === "platform") item.dataset.from = "platform";
      const at = new Date(line.time);
      time.dateTime = line.time, time.title = at.toUTCString();
      time.textContent = clock.format(at) + (line.late ? "~" : "");
      from.className = "from", from.textContent = line.source === "platform" ? "perron" : line.instance || line.process || line.source;
      text.className = "text";
      for (const [at, piece] of (hits ? line.text.split(hits) : [line.text]).entries()) {
        if (at % 2) text.append(Object.assign(document.createElement("mark"), { textContent: piece }));
        else if (piece) text.append(piece);
      }
      item.append(time, from, text);
      return item;
    }
    function draw() {
      drawing = false;
      if (paused || !coming.length) return tell();
      const stay = log.scrollHeight - log.scrollTop - log.clientHeight > 40;
      const box = document.createDocumentFragment();
      if (dropped) box.append(gap(`${dropped.toLocaleString("en")} lines came while it was paused and are not shown; reload to see them.`)), dropped = 0;
      for (const line of coming) {
        if (line.gap) box.append(gap(line.gap));
        box.append(drawn(line));
      }
      coming = [];
      $("#none")?.remove();
      log.append(box);
      if (!stay) trim(), (log.scrollTop = log.scrollHeight);
      tell();
    }
    function trim() { // only while the end is looked at: nothing is taken from under a reader's eyes
      const most = log.childElementCount - MOST;
      if (most <= 200) return;
      const old = $("#older");
      for (const item of [...log.children].slice(old ? 1 : 0, most)) item.remove();
      const first = $("li[id^=l]", log);
      const to = new URL(location.href);
      to.searchParams.set("before", first.id.slice(1)), to.hash = "";
      const row = old ?? gap("");
      row.id = "older";
      const link = Object.assign(document.createElement("a"), { href: to, textContent: "Show them" });
      row.firstElementChild.replaceChildren("There are older lines. ", link);
      log.prepend(row);
    }
    function tell() {
      const now = Date.now();
      heard = heard.filter(([at]) => at > now - 5000);
      const rate = heard.reduce((sum, [, count]) => sum + count, 0) / 5;
      const speed = rate >= 1 ? `${Math.round(rate)} lines a second` : rate ? "less than a line a second" : "no new lines";
      const text = paused ? `Paused, ${(coming.length + dropped).toLocaleString("en")} new lines` : `Live, ${speed}`;
      const state = paused ? "stopped" : stream?.readyState === 1 ? "healthy" : "unknown";
      if (live.dataset.state !== state) live.dataset.state = state;
      const said = state === "unknown" ? "Connecting to the log" : text;
      if (live.textContent !== said) live.textContent = said;
    }
    function take({ data }) {
      const line = JSON.parse(data);
      after = line.cursor;
      line.level = levelOf(line);
      if (!fits(line)) return void hidden++;
      heard.push([Date.now(), 1]);
      if (paused && coming.length >= HELD) return void dropped++;
      coming.push(line);
      if (!drawing) drawing = true, requestAnimationFrame(draw);
    }
    function open() {
      if (stream || document.hidden) return;
      const to = new URL(log.dataset.follow, location.href);
      if (after) to.searchParams.set("after", after);
      stream = new EventSource(to);
      stream.addEventListener("line", take);
      stream.addEventListener("away", ({ data }) => { live.dataset.state = "unknown", live.textContent = JSON.parse(data).detail; });
      stream.addEventListener("open", tell);
      stream.onerror = () => { tell(); if (stream?.readyState === 2) shut(), setTimeout(open, 2000); };
    }
    function shut() { stream?.close(); stream = undefined; }
    function hold(on) {
      paused = on;
      pause.setAttribute("aria-pressed", on);
      pause.textContent = on ? "Resume" : "Pause";
      if (on) tell();
      else draw(), (log.scrollTop = log.scrollHeight);
    }
    pause.addEventListener("click", () => hold(!paused));
    document.addEventListener("visibilitychange", () => (document.hidden ? shut() : open()));
    addEventListener("pagehide", shut);
    setInterval(tell, 1000);
    open();

    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
      if (event.target.closest("a, button, summary") && event.key === " ") return;
      if (event.key === " " || event.key === "Spacebar") event.preventDefault(), hold(!paused);
      if (event.key === "End") event.preventDefault(), (log.scrollTop = log.scrollHeight);
      if (event.key === "e" && kept("perron_keys") !== "off") event.preventDefault(), nextError();
    });
    let at = 0;
    function nextError() {
      const all = $$("[data-level=error]", log);
      if (!all.length) return toast("No error among these lines.");
      at = (at + all.length - 1) % all.length; // from the newest backwards
      location.hash = all[at].id;
      all[at].scrollIntoView({ block: "center" });
    }
  }
  // On a phone the tab one is on is in view.
  const tabs = $(".tabs"), tab = $(".tabs [aria-current]");
  if (tab) tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
  for (const select of $$("#filter select")) select.addEventListener("change", () => select.form.requestSubmit());
}
