// htmx, and the three things that every page needs: refusals said where they can be read, messages that go
// away again, buttons that show that they were pressed. Every page works without any of it.
import htmx from "../vendor/htmx-4.0.1.min.mjs";

const QUIET_AFTER = 8000;
const AGAIN_AFTER = 5000;
const SAVES = "form[data-draft], form[data-draft] [value='save']";
const said = () => document.getElementById("said");

// A refusal of a fragment arrives as a whole page, which must not land in the middle of another one. Only a form that
// comes back with what was typed takes the place of the one that was sent; the address stays that of the page.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400) return saved(ctx.sourceElement);
  if (!/^\s*<!doctype/i.test(ctx.text)) return;
  ctx.push = ctx.replace = null;
  const page = new DOMParser().parseFromString(ctx.text, "text/html");
  if (ctx.select && page.querySelector(`${ctx.select} form[data-draft]`)) return;
  if (ctx.select && page.querySelector(`${ctx.select} form[data-returns]`)) return void (ctx.returned = true);
  ctx.swap = "none";
  ctx.selectOOB = null;
  if (ctx.response.status >= 500 && again(ctx.sourceElement)) return;
  const words = reason(page) ?? "That did not work; nothing was changed.";
  const door = page.getElementById("sign-in-again");
  // An ended session is told once, whichever part of the page met it first.
  if (sendsDraft(ctx) || (door && document.querySelector("form[data-draft]"))) isOutdone(ctx) || sayOfDraft(`${words} Your text is still here.`, door);
  else say(words, "danger", door);
});

/** Whether a request carries words that somebody writes, be it only for the preview. */
const sendsDraft = (ctx) => ctx.request.method === "POST" && ctx.sourceElement.closest("form[data-draft]");

/** Why a text is not saved: the last reason alone, until it is saved. */
function sayOfDraft(words, link = null) {
  forgetDangers();
  say(words, "danger", link);
}

// What stands against it is read first.
document.addEventListener("htmx:after:swap", ({ detail }) => {
  if (detail.ctx?.returned) document.querySelector("form[data-returns] :is([role=alert], [aria-invalid=true])")?.focus();
});

let savedAt = 0;

function saved(element) {
  if (!element.matches(SAVES)) return;
  savedAt = performance.now();
  forgetDangers();
}

document.addEventListener("htmx:before:request", ({ detail }) => { detail.ctx.begun = performance.now(); });

/** Whether a preview is refused that was asked for before the text was saved: by now that says nothing. */
const isOutdone = (ctx) => !ctx.sourceElement.matches(SAVES) && ctx.begun < savedAt;

function forgetDangers() {
  for (const toast of document.querySelectorAll("#said > .danger")) toast.remove();
}

/** Why a page refuses: in its own words, else in those of its first field with an error. */
function reason(page) {
  const words = page.querySelector("#error-words, [role=alert]");
  const error = page.querySelector(".field .error");
  if (words || !error) return words?.textContent;
  return `${error.closest(".field").querySelector("label, legend")?.textContent}: ${error.textContent}`;
}

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (!ctx || again(ctx.sourceElement)) return;
  if (sendsDraft(ctx)) isOutdone(ctx) || sayOfDraft("Not saved: no connection to the server. Your text is still here; try again once the network is back.");
  else say("The server did not answer. Nothing was lost; try again.", "warn");
});

/** What watches work under way goes on watching: a server that restarts loses no panel. */
function again(panel) {
  if (!panel.matches("[hx-trigger$=' again']")) return false;
  setTimeout(() => panel.isConnected && htmx.trigger(panel, "again"), AGAIN_AFTER);
  return true;
}

/** Say a sentence in the corner of the window, once; it is read out, and goes after a while unless it is a danger.
    A link beside it opens in a tab of its own: what stands on this page stays. */
export function say(words, kind = "info", link = null) {
  for (const toast of document.querySelectorAll("#said > .toast")) if (toast.firstElementChild?.textContent === words) toast.remove();
  const toast = document.createElement("div");
  toast.className = `toast ${kind}`;
  toast.append(Object.assign(document.createElement("span"), { textContent: words }));
  if (link) toast.append(Object.assign(document.createElement("a"), { href: link.getAttribute("href"), target: "_blank", className: "button small", textContent: link.textContent }));
  said()?.append(toast);
  tend(toast);
}

/** Give a message its way out: a button, and time where nothing depends on it. */
function tend(toast) {
  const close = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: "Close" });
  close.addEventListener("click", () => toast.remove());
  toast.append(close);
  if (!toast.matches(".danger, :has(form)")) setTimeout(() => toast.matches(":hover, :focus-within") || toast.remove(), QUIET_AFTER);
}

const tendAll = () => {
  for (const toast of document.querySelectorAll("#said > .toast:not(:has(> button[type=button]))")) tend(toast);
};

tendAll();
document.addEventListener("htmx:after:swap", tendAll);

// Who signs out is asked about words that no server has yet.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-signs-out]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  import("./leaving.mjs").then(({ signOut }) => signOut(form), () => form.submit());
}, true);

// Plain forms: the pressed button shows it, and a second press of the same thing is not sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.matches("[hx-post], [hx-get], [hx-put], [hx-patch], [hx-delete]")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
// The same for a form that htmx sends; a second press waits for nothing, as the form drops it (hx-sync).
document.addEventListener("htmx:before:request", (event) => event.detail.ctx.request.submitter?.setAttribute("aria-busy", "true"));
document.addEventListener("htmx:finally:request", (event) => event.detail.ctx.request.submitter?.removeAttribute("aria-busy"));
// And for a link to a page that takes its time; it says so itself, since from the others a file may come and no page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-waits]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  link.setAttribute("aria-busy", "true");
});
// Coming back by the back button: the page is as it was before it was sent.
window.addEventListener("pageshow", () => {
  for (const link of document.querySelectorAll("a[data-waits]")) link.removeAttribute("aria-busy");
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});
