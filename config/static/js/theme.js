// Before the page is drawn: the theme the reader chose, else the one their system asks for.
(function () {
  "use strict";
  document.documentElement.classList.add("has-js");
  var chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch (error) { /* storage may be closed */ }
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", chosen || (dark ? "dark" : "light"));
})();
