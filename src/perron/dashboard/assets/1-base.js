// Theme, time zone, copying, toasts, dialogs. What a page shows, it shows without any of this.
"use strict";
const root = document.documentElement;
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const isTyping = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const keep = (name, value) => { document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax`; };
const kept = (name) => document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);

function toast(text) {
  const item = document.createElement("p");
  item.textContent = text;
  $(".toasts")?.append(item);
  setTimeout(() => item.remove(), 5000);
}
for (const said of $$(".toasts > p")) setTimeout(() => said.remove(), 5000);

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && kept("perron_zone") !== zone) keep("perron_zone", zone); // the next page tells times in it

function setTheme(to) {
  if (to === "system") delete root.dataset.theme;
  else root.dataset.theme = to;
  keep("perron_theme", to);
  for (const b of $$("[data-set-theme]")) b.setAttribute("aria-pressed", b.dataset.setTheme === to);
}

document.addEventListener("click", async ({ target }) => {
  const theme = target.closest("[data-set-theme]");
  if (theme) setTheme(theme.dataset.setTheme);
  const copy = target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard?.writeText(copy.dataset.copy).catch(() => {});
    toast("Copied.");
  }
});

// Older browsers know no command="show-modal"; the dialog is opened and closed all the same.
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[commandfor]");
    const dialog = button && document.getElementById(button.getAttribute("commandfor"));
    if (dialog) button.getAttribute("command") === "close" ? dialog.close() : dialog.showModal();
  });
}
for (const dialog of $$("dialog[data-open]")) dialog.showModal();

// The verb that destroys waits until the name is typed: <input data-must="shop">.
document.addEventListener("input", ({ target }) => {
  if (target.dataset?.must === undefined) return;
  const verb = $("footer button:last-child", target.form);
  if (verb) verb.disabled = target.value !== target.dataset.must;
});

// Elapsed time counts by itself: <span data-elapsed="2026-11-21T10:23:41Z">.
function tick() {
  for (const each of $$("[data-elapsed]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(each.dataset.elapsed)) / 1000));
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (each.textContent !== text) each.textContent = text;
  }
}
setInterval(tick, 1000);
tick();
