// A slider in hundredths is spoken as what it stands for: 0.97, not 97.
document.addEventListener("input", ({ target }) => {
  if (target.matches("input[type=range][aria-valuetext]")) target.setAttribute("aria-valuetext", (target.value / 100).toFixed(2));
});
