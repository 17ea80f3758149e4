// A live page: one EventSource; each message is one part, whose root has the id it replaces.
if (document.body.hasAttribute("data-live")) {
  const later = new Map();
  let stream, failed;
  let here = at($("#seen")?.dataset.seen);
  function at(seen) {
    const url = new URL(location.href);
    url.hash = "";
    url.searchParams.set("_seen", seen ?? "");
    return url;
  }

  function swap(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    const fresh = box.content.firstElementChild, old = fresh && document.getElementById(fresh.id);
    if (!old || old.isEqualNode(fresh)) return;
    if (isHeld(old)) later.set(fresh.id, html);
    else later.delete(fresh.id), put(old, fresh), tick();
  }
  // What stands above all else comes and goes without moving the rest: what came while one looked
  // floats until one leaves, and what ends keeps its place.
  let isHidden = false;
  function put(old, fresh) {
    if (!fresh.hasAttribute("data-steady")) return old.replaceWith(fresh);
    const before = old.offsetHeight, wasAfloat = old.classList.contains("afloat");
    if (!wasAfloat && before && !fresh.childElementCount) return; // it stays to be read
    old.replaceWith(fresh);
    if (!wasAfloat && before) {
      fresh.style.minHeight = `${before}px`;
      if (fresh.offsetHeight <= before) return;
      const place = document.createElement("div");
      place.style.height = `${before}px`;
      fresh.style.minHeight = "";
      fresh.before(place);
    }
    fresh.classList.add("afloat");
    fresh.hidden = isHidden;
    document.body.append(fresh); // out of every container, which would hold it
  }
  document.addEventListener("click", ({ target }) => {
    const box = target.closest("[data-hide]")?.closest(".afloat");
    if (box) box.hidden = isHidden = true;
  });
  // Nothing is taken away under a finger: what has the focus, or is pointed at and says so, waits.
  const isHeld = (old) => (old !== document.activeElement && old.contains(document.activeElement))
    || old.matches("[data-hold]:hover") || $("[data-hold]:hover", old) || $("dialog[open]", old);
  const catchUp = () => { for (const html of [...later.values()]) swap(html); };
  document.addEventListener("focusout", () => setTimeout(catchUp));
  document.addEventListener("pointerout", () => later.size && setTimeout(catchUp));

  function stale(is) { const notice = $("#stale"); if (notice) notice.hidden = !is; }
  function open() {
    if (stream || document.hidden) return;
    stream = new EventSource(here);
    stream.addEventListener("open", () => { clearTimeout(failed); failed = undefined; stale(false); });
    stream.addEventListener("part", ({ data, lastEventId }) => {
      if (lastEventId) here.searchParams.set("_seen", lastEventId);
      swap(data);
    });
    stream.addEventListener("gone", () => { shut(); location.reload(); });
    stream.onerror = () => {
      failed ??= setTimeout(() => stale(true), 5000);
      if (stream?.readyState === 2) shut(), setTimeout(open, 2000); // refused: the edge or the server is away
    };
  }
  function shut() { stream?.close(); stream = undefined; }
  document.addEventListener("visibilitychange", () => (document.hidden ? shut() : open()));
  addEventListener("moved", ({ detail }) => { shut(); here = at(detail); open(); }); // a filter leads elsewhere
  addEventListener("pagehide", shut);
  addEventListener("pageshow", open);
  open();
}
