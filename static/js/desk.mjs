// The desk: Ctrl+S saves without leaving the text, Ctrl+P looks how it will be; what a fragment brings is made ready.
const form = document.getElementById("desk-form");

form?.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const key = event.key.toLowerCase();
  if (key === "s") press("[data-key='Ctrl S']", event);
  if (key === "p") press("input[name='as']:not(:checked)", event);
});

function press(selector, event) {
  event.preventDefault();
  form.querySelector(selector)?.click();
}

document.addEventListener("htmx:after:swap", () => {
  for (const toolbar of document.querySelectorAll("markdown-toolbar[hidden]")) toolbar.hidden = false;
});
