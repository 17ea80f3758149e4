// The palette: apps, pages and actions; the platform is asked what fits.
const palette = $("#palette");
function openPalette() {
  if (!palette || palette.open) return;
  palette.showModal();
  const input = $("input", palette);
  input.select();
  input.dispatchEvent(new Event("input"));
}
if (palette) {
  const input = $("input", palette), list = $("[role=listbox]", palette);
  const options = () => $$("[role=option]", list);
  let asked = 0, waiting;
  function select(option) {
    for (const each of options()) each.setAttribute("aria-selected", each === option);
    input.setAttribute("aria-expanded", String(!!option));
    if (option) input.setAttribute("aria-activedescendant", option.id), option.scrollIntoView({ block: "nearest" });
    else input.removeAttribute("aria-activedescendant");
  }
  function go(option) {
    if (!option) return;
    palette.close();
    const opened = option.dataset.opens && document.getElementById(option.dataset.opens);
    if (opened) opened.showModal();
    else location.href = option.dataset.href;
  }
  async function look() {
    const mine = ++asked;
    const here = encodeURIComponent(location.pathname + location.search);
    const answer = await fetch(`/find?q=${encodeURIComponent(input.value.trim())}&at=${here}`).catch(() => null);
    if (mine !== asked || !answer?.ok || answer.redirected) return;
    list.innerHTML = await answer.text();
    select(options()[0]);
  }
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") event.preventDefault(), openPalette();
  });
  document.addEventListener("click", ({ target }) => { if (target.closest("[data-palette]")) openPalette(); });
  input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, input.value ? 80 : 0); });
  input.addEventListener("keydown", (event) => {
    const all = options(), at = all.findIndex((o) => o.ariaSelected === "true");
    if (event.key === "ArrowDown") event.preventDefault(), select(all[(at + 1) % all.length]);
    if (event.key === "ArrowUp") event.preventDefault(), select(all.at(at - 1));
    if (event.key === "Enter") event.preventDefault(), go(all[at]);
  });
  list.addEventListener("click", ({ target }) => go(target.closest("[role=option]")));
}
