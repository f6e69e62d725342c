// Writing: Ctrl+Enter sends the form by its main button, Ctrl+B and Ctrl+I press the toolbar of the text; what is typed
// and not yet saved is not lost by a slip; the toolbar element is loaded only where a page has one.
import { deskMeant } from "./meant.mjs";

const SAVES = "form[data-draft], form[data-draft] [value='save']";
const MARKS = { b: "md-bold", i: "md-italic" };
const draft = (element) => element?.closest?.("form[data-draft]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const button = mainButton(event.target.closest?.("form")) ?? mainButton(deskMeant(event.target));
  if (!button) return;
  event.preventDefault();
  button.form.requestSubmit(button);
});

const mainButton = (form) => form?.querySelector("[data-key='Ctrl Enter']") ?? document.querySelector(`[data-key='Ctrl Enter'][form='${form?.id}']`);

document.addEventListener("keydown", (event) => {
  const mark = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && MARKS[event.key.toLowerCase()];
  const button = mark && event.target.id && document.querySelector(`markdown-toolbar[for='${event.target.id}'] ${mark}`);
  if (!button) return;
  event.preventDefault();
  customElements.whenDefined(mark).then(() => button.click());
});

// Forms with words that are not saved: "typed", or "sent" while the answer is awaited; who types on meanwhile has
// "typed" again, and an answer that refuses leaves it as it was.
const unsaved = new WeakMap();

document.addEventListener("input", (event) => draft(event.target) && unsaved.set(draft(event.target), "typed"));
document.addEventListener("submit", (event) => event.target.matches("[hx-post]") || unsaved.delete(event.target));
document.addEventListener("htmx:config:request", (event) => {
  const form = saving(event);
  if (unsaved.has(form)) unsaved.set(form, "sent");
});
document.addEventListener("htmx:after:request", (event) => {
  const form = saving(event);
  if (event.detail.ctx.response.status < 400 && unsaved.get(form) === "sent") unsaved.delete(form);
});
window.addEventListener("beforeunload", (event) => {
  // What is kept, on the server or in this browser, is there again when somebody comes back.
  const isLost = (form) => unsaved.has(form) && form.dataset.kept !== "yes";
  if ([...document.querySelectorAll("form[data-draft]")].some(isLost)) event.preventDefault();
});

/** The draft that a request saves; a look at the preview saves nothing. */
function saving(event) {
  const element = event.detail.ctx.sourceElement;
  return element.matches(SAVES) ? draft(element) : undefined;
}

if (document.querySelector("markdown-toolbar")) {
  import("../vendor/markdown-toolbar-element-2.2.3.min.mjs");
  for (const toolbar of document.querySelectorAll("markdown-toolbar[hidden]")) toolbar.hidden = false;
}
