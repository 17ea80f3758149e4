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
