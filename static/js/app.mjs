// htmx, and the three things that every page needs: refusals said where they can be read, messages that go
// away again, buttons that show that they were pressed. Every page works without any of it.
import htmx from "../vendor/htmx-4.0.1.min.mjs";

const QUIET_AFTER = 8000;
const AGAIN_AFTER = 5000;
const said = () => document.getElementById("said");

// A refusal of a fragment arrives as a whole page, which must not land in the middle of another one.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400 || !/^\s*<!doctype/i.test(ctx.text)) return;
  ctx.swap = "none";
  if (ctx.response.status >= 500 && again(ctx.sourceElement)) return;
  const page = new DOMParser().parseFromString(ctx.text, "text/html");
  say(reason(page) ?? "That did not work; nothing was changed.", "danger", page.getElementById("sign-in-again"));
});

/** Why a page refuses: in its own words, else in those of its first field with an error. */
function reason(page) {
  const words = page.querySelector("#error-words, [role=alert]");
  const error = page.querySelector(".field .error");
  if (words || !error) return words?.textContent;
  return `${error.closest(".field").querySelector("label, legend")?.textContent}: ${error.textContent}`;
}

document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && !again(event.detail.ctx.sourceElement))
    say("The server did not answer. Nothing was lost; try again.", "warn");
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

for (const toast of document.querySelectorAll("#said > .toast")) tend(toast);

// Plain forms: the pressed button shows it, and a second press of the same thing is not sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.matches("[hx-post], [hx-get], [hx-put], [hx-patch], [hx-delete]")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
// Coming back by the back button: the page is as it was before it was sent.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});
