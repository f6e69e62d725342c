// Copy buttons appear where there is a clipboard, and say that they did it.
function ready(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  const label = (button.dataset.label ??= button.textContent);
  await navigator.clipboard.writeText(field.value ?? field.textContent);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 2000);
});

ready(document);
document.addEventListener("htmx:after:swap", () => ready(document));
