// Signing out: what was typed goes to the server first. Words that it does not get are named, and whoever typed them says
// whether this browser keeps them, for them alone, or forgets them.
import * as journal from "./journal.mjs";

const PATIENCE = 4000;
const element = (name, properties) => Object.assign(document.createElement(name), properties);

export async function signOut(form) {
  const person = form.dataset.signsOut;
  const waits = [];
  document.dispatchEvent(new CustomEvent("journal:leaving", { detail: { waits } }));
  journal.channel.postMessage({ act: "send", person });
  const [left, ...here] = await Promise.all([stillUnsent(person).catch(() => []), ...waits]);
  if (left.length || here.includes(false)) return ask(form, left);
  form.submit();
}

/** The entries that no page sends within a moment. */
async function stillUnsent(person) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const left = await journal.unsent(person);
    const orphans = await journal.orphans(left);
    if (left.length === orphans.length || Date.now() > until) return left;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

function ask(form, left) {
  document.getElementById("unsent")?.remove();
  const box = element("dialog", { id: "unsent" });
  const where = left.length > 1 ? `Words at ${left.length} desks are` : left.length ? "Some words are" : "Words on this page are";
  const head = element("h2", { id: "unsent-head", textContent: `${where} not on the server yet` });
  box.setAttribute("aria-labelledby", head.id);
  const more = left.length ? "Open them to send them. If you sign out and keep them, this browser shows them to nobody else and offers them when you sign in again." : "This browser does not keep them either.";
  const go = () => form.submit();
  const ways = left.length ? [["Sign out, keep them", go, "primary"], ["Sign out, throw away", () => journal.forget(form.dataset.signsOut, left).catch(() => {}).then(go)]] : [["Sign out without them", go]];
  const row = element("div", { className: "row gap" });
  row.append(...ways.map((way) => button(...way)), button("Stay", () => box.close(), "plain"));
  box.append(head, ...(left.length ? [list(left)] : []), element("p", { className: "gap", textContent: more }), row);
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

function list(left) {
  const found = element("ul", { className: "gap" });
  for (const entry of left) {
    const first = JSON.parse(entry.words).filter(([name, value]) => /^(turn|reason)_/.test(name) && value.trim()).map(([, value]) => value.trim())[0] ?? "";
    const item = element("li", {});
    item.append(element("a", { href: entry.address ?? "#", textContent: first.length > 60 ? `${first.slice(0, 60)}…` : first || "Without a prompt" }));
    item.firstChild.dir = "auto";
    found.append(item);
  }
  return found;
}

function button(label, act, kind = "") {
  const made = element("button", { type: "button", className: `button ${kind}`, textContent: label });
  made.addEventListener("click", act);
  return made;
}
