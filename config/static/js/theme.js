// Before the page is drawn, so that nothing changes before the reader's eyes: the theme they chose,
// else the one their system asks for, whether calendars are shown as such or as a list, whether the
// sidebar has names or icons alone, and the clock by which times are read.
(function () {
  "use strict";
  document.documentElement.classList.add("has-js");
  var chosen = null, shown = null, sidebar = null;
  try {
    chosen = localStorage.getItem("theme");
    shown = localStorage.getItem("calendar-tab");
    sidebar = localStorage.getItem("sidebar");
  } catch (error) { /* storage may be closed */ }
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", chosen || (dark ? "dark" : "light"));
  var small = window.matchMedia && window.matchMedia("(max-width: 575px)").matches;
  document.documentElement.setAttribute("data-shown", shown || (small ? "list" : "calendar"));
  var tight = window.matchMedia && window.matchMedia("(max-width: 1279px)").matches;
  document.documentElement.setAttribute("data-sidebar", sidebar || (tight ? "icons" : "names"));

  // Who is not signed in reads times by the clock of this browser, and so does a new account: a
  // cookie says which. A page that was written by another clock, as the first one is, is asked for
  // once more; never twice, also where cookies are not kept.
  var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  var written = document.documentElement.dataset.visitorZone;
  var said = function () { return document.cookie.split("; ").indexOf("time_zone=" + zone) >= 0; };
  if (zone) {
    var isNew = !said();
    document.cookie = "time_zone=" + zone + "; path=/; max-age=31536000; samesite=lax" +
      (location.protocol === "https:" ? "; secure" : "");
    if (isNew && said() && written && written !== zone) {
      location.reload();
    }
  }
})();
