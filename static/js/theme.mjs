// The theme changes at once, and the wish is sent without leaving the page.
for (const form of document.querySelectorAll("[data-theme-switch]")) {
  form.addEventListener("submit", (event) => {
    const theme = event.submitter?.value;
    if (!theme) return;
    event.preventDefault();
    show(theme);
    const body = new URLSearchParams({ theme });
    fetch(form.action, { method: "POST", body, redirect: "manual", credentials: "same-origin" });
  });
}

function show(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-switch] button"))
    button.setAttribute("aria-pressed", String(button.value === theme));
}
