// The desk: Ctrl+S saves without leaving the text, Ctrl+P looks how it will be; what a fragment brings is made ready.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("#desk-form");
  if (!form || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const key = event.key.toLowerCase();
  if (key === "s") press(form, "[data-key='Ctrl S']", event);
  if (key === "p") press(form, "input[name='as']:not(:checked)", event);
});

function press(form, selector, event) {
  event.preventDefault();
  form.querySelector(selector)?.click();
}

document.addEventListener("htmx:after:swap", () => {
  for (const toolbar of document.querySelectorAll("markdown-toolbar[hidden]")) toolbar.hidden = false;
});
