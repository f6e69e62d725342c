// The set-up of an import: whatever is changed counts again, the latest change alone (hx-sync), and stands in the address,
// where a reload and a step back find it; the server keeps it for whoever comes by another way. A rule is moved here, so
// that what is sent next knows the new order, whatever becomes of this answer.
const [QUIET, MOST_WHEN_LEAVING] = [400, 60000];
const form = () => document.getElementById("setup");
const order = () => document.getElementById("rule-order");

document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement: mover, request } = event.detail.ctx;
  if (mover.name !== "move" || !order()) return;
  // At its end a rule stays where it is, and so does the focus: a button that is switched off would lose it.
  if (mover.ariaDisabled === "true") return event.preventDefault();
  const [name, way] = mover.value.split(":");
  const names = order().value.split(" ");
  const at = names.indexOf(name);
  if (at < 0) return;
  names.splice(at, 1);
  names.splice(Math.max(0, at + (way === "up" ? -1 : 1)), 0, name);
  order().value = names.join(" ");
  request.body.set("rule.order", order().value);
  request.body.delete("move");
  note();
});

/** Say in the address what is set; a rules file is no part of that until it is used. */
function note(leaving = false) {
  clearTimeout(soon);
  soon = 0;
  const fields = [...new FormData(form())].filter(([name, value]) => typeof value === "string" && !name.startsWith("rules."));
  history.replaceState(history.state, "", `${form().getAttribute("action")}?${new URLSearchParams(fields)}`);
  keep(new URLSearchParams(fields).toString(), leaving);
}

let [kept, sent] = ["", Promise.resolve()];

/** One after the other, so that the latest is what the server has; what it does not get stands in the address still. */
function keep(body, leaving) {
  if (body === kept) return;
  kept = body;
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const send = () => fetch(form().dataset.keepSetUp, { method: "POST", body, headers, keepalive: body.length < MOST_WHEN_LEAVING }).catch(() => {});
  sent = leaving ? send() : sent.then(send);
}

let soon = 0;

document.addEventListener("input", ({ target }) => {
  if (!target.form || target.form !== form()) return;
  clearTimeout(soon);
  soon = setTimeout(() => note(), QUIET);
});
document.addEventListener("change", ({ target }) => target.form && target.form === form() && note());

window.addEventListener("pagehide", () => soon && note(true));
if (location.search) note(); // a link or a button without this script brought it

// The answer of a request that another one replaced says nothing of the work that is under way.
let latest = null;

document.addEventListener("htmx:before:request", ({ target, detail }) => {
  if (!target.closest("#setup")) return;
  latest = detail.ctx;
  document.getElementById("counted")?.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:finally:request", ({ detail }) => {
  if (detail.ctx === latest) document.getElementById("counted")?.removeAttribute("aria-busy");
});
