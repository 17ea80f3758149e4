// Forms are sent without leaving the page: a refusal is shown in place, what was typed stays.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-plain")) return;
  event.preventDefault();
  const button = event.submitter ?? $("button:not([type=button])", form);
  const body = new FormData(form, event.submitter);
  const packed = form.enctype === "multipart/form-data" ? body : new URLSearchParams(body);
  button?.setAttribute("disabled", "");
  try {
    const answer = await fetch(form.action, { method: "POST", body: packed, headers: { "X-Perron-Script": "1" } });
    const to = answer.headers.get("X-Perron-Go");
    if (to) return void goTo(to);
    show(form, await answer.text());
  } catch {
    toast("The platform did not answer. Nothing is known to have changed; try again.");
  }
  button?.removeAttribute("disabled");
});
function goTo(to) {
  const next = new URL(to, location.href);
  if (next.pathname + next.search === location.pathname + location.search) location.reload();
  else location.href = next;
}
function show(form, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = form.id && page.getElementById(form.id);
  if (fresh) form.replaceWith(fresh), $("[aria-invalid=true], [role=alert]", fresh)?.focus();
  else document.open(), document.write(html), document.close();
}
// A filter looks while it is typed in: the results are taken out of the page it would lead to.
for (const form of $$("form[data-filter]")) {
  let asked = 0, waiting;
  async function look() {
    const mine = ++asked;
    const to = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) to.searchParams.set(name, value);
    const answer = await fetch(to).catch(() => null);
    if (mine !== asked || !answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = $("[data-results]", page), old = $("[data-results]");
    if (!fresh || !old) return;
    old.replaceWith(document.adoptNode(fresh));
    history.replaceState(null, "", to);
    dispatchEvent(new CustomEvent("moved", { detail: $("#seen", page)?.dataset.seen }));
  }
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 120); });
}
for (const form of $$("form[data-auto]")) form.requestSubmit(); // a sign-in link goes on by itself
if (location.hash.length > 1) { // /#new-app opens that dialog
  const dialog = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (dialog?.matches("dialog")) dialog.showModal(), history.replaceState(null, "", location.pathname + location.search);
}
