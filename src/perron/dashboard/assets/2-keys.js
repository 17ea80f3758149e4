// Keys: g a, /, j k, Enter, [ ], ?. Single letters only while no field has the focus.
{
  const GO = { a: "/", t: "/teams", p: "/platform", y: "/you" };
  const single = () => kept("perron_keys") !== "off";
  const box = $("[data-set-keys]");
  if (box) {
    box.checked = single();
    box.addEventListener("change", () => keep("perron_keys", box.checked ? "on" : "off"));
  }
  let before = "";
  const rows = () => $$("main .table tbody tr:not(.group)").filter((row) => row.offsetParent && $("th a, td a", row));
  function move(by) {
    const all = rows(), at = all.findIndex((row) => row.contains(document.activeElement));
    const row = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    if (row) $("th a, td a", row).focus();
  }
  function tab(by) {
    const all = $$(".tabs a"), at = all.findIndex((a) => a.hasAttribute("aria-current"));
    all[at + by]?.click();
  }
  const ACTS = {
    j: () => move(1),
    k: () => move(-1),
    "[": () => tab(-1),
    "]": () => tab(1),
    "?": () => $("#keys")?.showModal(),
    "/": () => ($("[data-find]") ? $("[data-find]").focus() : openPalette()),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    if (event.key === "/" || single()) {
      const act = before === "g" && GO[event.key] ? () => followLink(GO[event.key]) : ACTS[event.key];
      before = event.key === "g" ? "g" : "";
      if (act) event.preventDefault(), act();
    }
  });
  function followLink(to) { // only where the rail leads
    const link = $$(".rail a, .menu a").find((a) => a.getAttribute("href") === to);
    if (link) location.href = to;
  }
}
