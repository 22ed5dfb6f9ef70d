// The theme switch: remembers the reader's choice on this computer. Every page works without it.
(function () {
  "use strict";
  const root = document.documentElement;
  const wanted = localStorage.getItem("theme");
  if (wanted === "dark" || wanted === "light") root.dataset.theme = wanted;
  document.addEventListener("click", function (event) {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
})();
