// Writing: Ctrl+Enter sends the form by its main button; what is typed and not yet saved is not lost by a slip;
// a text grows with its words; the toolbar element is loaded only where a page has one.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form");
  const button = form?.querySelector("[data-key='Ctrl Enter']") ?? document.querySelector(`[data-key='Ctrl Enter'][form='${form?.id}']`);
  if (!button) return;
  event.preventDefault();
  form.requestSubmit(button);
});

for (const form of document.querySelectorAll("form[data-draft]")) {
  let changed = false;
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  document.addEventListener("htmx:after:request", (event) => {
    if (form.contains(event.target) && event.detail.ctx.request.method === "POST" && event.detail.ctx.response.status < 400) changed = false;
  });
  window.addEventListener("beforeunload", (event) => changed && event.preventDefault());
}

if (document.querySelector("markdown-toolbar")) {
  import("../vendor/markdown-toolbar-element-2.2.3.min.mjs");
  for (const toolbar of document.querySelectorAll("markdown-toolbar[hidden]")) toolbar.hidden = false;
}
