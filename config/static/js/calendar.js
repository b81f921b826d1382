// The calendars: an instrument's week, the manager's board, a person's own bookings. They draw
// what the page already says in words; whatever is dragged ends in a form that says what will
// happen. Times are drawn as the wall clock of one zone and leave this file as instants.
"use strict";

(function () {
  const words = () => document.getElementById("calendar-words").dataset;
  const narrow = () => window.matchMedia("(max-width: 767px)").matches;
  const MINUTE = 60000;

  // A page may name what its board shows in the tag of this script: asked for before the page has
  // been read to its end.
  const askEvents = (url) => fetch(url, { headers: { Accept: "application/json" } });
  const early = document.currentScript.dataset.events;
  const asked = early && document.documentElement.dataset.shown === "calendar" && askEvents(early);

  // Wall clock and instants ---------------------------------------------------------------

  // Intl is slow to begin and slow to ask: formats are kept, and how far a zone is from UTC in a
  // quarter of an hour, within which no clock is changed.
  const clocks = {};
  const offsets = {};
  const QUARTER = 15 * MINUTE;

  // What the clock of a zone shows at an instant, as milliseconds of a clock without zone.
  function wallOf(instant, zone) {
    const quarter = Math.floor(instant / QUARTER);
    const known = (offsets[zone] ||= new Map());
    if (!known.has(quarter)) {
      known.set(quarter, offsetOf(quarter * QUARTER, zone));
    }
    return instant + known.get(quarter);
  }

  function offsetOf(instant, zone) {
    clocks[zone] ||= new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    const part = {};
    for (const { type, value } of clocks[zone].formatToParts(instant)) {
      part[type] = Number(value);
    }
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - instant;
  }

  // The instant at which the clock of a zone shows a wall time (milliseconds without zone).
  function instantOf(wall, zone) {
    let instant = wall - (wallOf(wall, zone) - wall);
    instant += wall - wallOf(instant, zone);
    return instant;
  }

  // The library hands out dates that show the wall time in the browser's own zone; the server
  // writes it without a zone.
  const wallOfDate = (date) => typeof date === "string" ? Date.parse(date + "Z") : Date.UTC(
    date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes());
  const clock = (wall) => new Date(wall).toISOString().slice(11, 16);
  const dayOf = (wall) => new Date(wall).toISOString().slice(0, 10);
  const naive = (wall) => new Date(wall).toISOString().slice(0, 19);
  const rfc3339 = (instant) => new Date(instant).toISOString().slice(0, 19) + "Z";

  const days = {};

  function shortDay(wall, locale) {
    days[locale] ||= new Intl.DateTimeFormat(locale, {
      timeZone: "UTC", weekday: "short", day: "numeric", month: "short",
    });
    return days[locale].format(wall).replace(",", "");
  }

  // `10:00–12:00`, with the day where it is not the same one.
  function spanText(from, until, locale) {
    const last = dayOf(from) === dayOf(until) ? clock(until) : `${shortDay(until, locale)} ${clock(until)}`;
    return `${clock(from)}–${last}`;
  }

  // What people call a zone, as “Beijing time”.
  const zoneName = (setup, zone) => setup.zoneNames[zone] || zone;

  // The same time on the reader's own clock, where that is another one.
  function readersText(setup, from, until) {
    if (setup.zone === setup.readerZone) {
      return "";
    }
    const start = wallOf(instantOf(from, setup.zone), setup.readerZone);
    const end = wallOf(instantOf(until, setup.zone), setup.readerZone);
    if (clock(start) === clock(from) && dayOf(start) === dayOf(from)) {
      return "";
    }
    const day = dayOf(start) === dayOf(from) ? "" : `${shortDay(start, setup.locale)} `;
    return `${day}${spanText(start, end, setup.locale)} (${zoneName(setup, setup.readerZone)})`;
  }

  // Saying things ---------------------------------------------------------------------------

  function say(text) {
    document.getElementById("calendar-said").textContent = text;
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function openDialog(url, onLeft) {
    const dialog = document.getElementById("calendar-dialog");
    htmx.ajax("GET", url, { target: "#dialog-body", swap: "innerHTML" }).then(function () {
      if (!dialog.open) {
        dialog.showModal();
        dialog.addEventListener("close", onLeft, { once: true });
      }
    }, onLeft);
  }

  document.addEventListener("click", function (event) {
    const dialog = document.getElementById("calendar-dialog");
    if (!dialog) {
      return;
    }
    const link = event.target.closest("a[data-dialog-link]");
    if (link && dialog.contains(link)) {
      event.preventDefault();
      htmx.ajax("GET", link.href, { target: "#dialog-body", swap: "innerHTML" });
    }
    if (event.target.closest("[data-dialog-close]") || event.target === dialog) {
      dialog.close();
    }
  });

  // What an event looks like ------------------------------------------------------------------

  function content(setup) {
    return function ({ event }) {
      const from = wallOfDate(event.start);
      const until = wallOfDate(event.end);
      if (event.display === "pointer") {
        return { domNodes: [] };
      }
      if (event.display === "preview") {
        const nodes = [element("span", "event-time", spanText(from, until, setup.locale))];
        const own = readersText(setup, from, until);
        if (own) {
          nodes.push(element("span", "event-more", own));
        }
        if (event.extendedProps.first) {
          nodes.push(element("span", "event-first", event.extendedProps.first));
        }
        return { domNodes: nodes };
      }
      const { first, second, purpose } = event.extendedProps;
      if (!first) {
        return { domNodes: [] };
      }
      const nodes = [element("span", "event-first", first)];
      if (event.display !== "background") {
        nodes.push(element("span", "event-time", setup.view === "month" ? clock(from) : spanText(from, until, setup.locale)));
        if (second) {
          nodes.push(element("span", "event-more", second));
        }
        if (purpose && setup.showsPurpose) {
          nodes.push(element("span", "event-more", purpose));
        }
      }
      if (!event.extendedProps.url) {
        return { domNodes: nodes };
      }
      // The whole of it is a link; pulled further than a few pixels it is dragged instead.
      const link = element("a", "event-link", "");
      link.href = event.extendedProps.url;
      link.draggable = false;
      const seen = nodes.map((node) => node.textContent);
      const rest = inWords(setup, event).filter((line) => !seen.includes(line));
      link.append(...nodes, element("span", "visually-hidden", rest.join(", ")));
      return { domNodes: [link] };
    };
  }

  // All there is to say of an event, in lines.
  function inWords(setup, event) {
    const { first, second, purpose, from, until, zone } = event.extendedProps;
    const start = from ? wallOf(Date.parse(from), setup.zone) : wallOfDate(event.start);
    const end = until ? wallOf(Date.parse(until), setup.zone) : wallOfDate(event.end);
    const lines = [
      first, `${shortDay(start, setup.locale)} ${spanText(start, end, setup.locale)}`, second, purpose,
      readersText(setup, start, end),
    ];
    if (zone && zone !== setup.zone) {
      const there = wallOf(Date.parse(from), zone);
      lines.push(`${shortDay(there, setup.locale)} ${spanText(there, wallOf(Date.parse(until), zone), setup.locale)} (${zoneName(setup, zone)})`);
    }
    return lines.filter(Boolean);
  }

  // The tip of an event is put together when the mouse comes to it.
  function describe(setup) {
    return function ({ event, el }) {
      if (event.extendedProps.first) {
        el.addEventListener("pointerenter", () => { el.title = inWords(setup, event).join("\n"); }, { once: true });
      }
    };
  }

  // A booking dropped elsewhere or stretched: the dialog decides; left, it goes back.
  function moved(setup) {
    return function ({ event, oldEvent, revert }) {
      const { from, until, move } = event.extendedProps;
      const shift = (date, old, instant) => {
        const by = wallOfDate(date) - wallOfDate(old);
        return by ? instantOf(wallOf(instant, setup.zone) + by, setup.zone) : instant;
      };
      const start = shift(event.start, oldEvent.start, Date.parse(from));
      const end = shift(event.end, oldEvent.end, Date.parse(until));
      const minutes = Math.round((end - start) / MINUTE);
      openDialog(`${move}?start=${encodeURIComponent(rfc3339(start))}&minutes=${minutes}`, revert);
    };
  }

  const label = (setup) => (date) => clock(wallOfDate(date));

  // The same hour on the reader's clock below the instrument's, where the two differ by the
  // same amount on every day shown.
  function axisLabel(setup) {
    const first = Date.parse(setup.first + "T12:00:00Z");
    const difference = (wall) => wallOf(instantOf(wall, setup.zone), setup.readerZone) - wall;
    const by = difference(first);
    const isSteady = by === difference(first + (setup.days - 1) * 1440 * MINUTE);
    if (!by || !isSteady) {
      return label(setup);
    }
    return function (date) {
      const wall = wallOfDate(date);
      const text = [element("b", "", clock(wall)), element("span", "axis-own", clock(wall + by))];
      return { domNodes: text };
    };
  }

  function shared(setup) {
    return {
      locale: setup.locale,
      // The library takes an offset of nought for none, and draws now by the browser's clock: a
      // minute beside it is less than a pixel.
      timeZone: setup.offset === "+00:00" ? "+00:01" : setup.offset,
      firstDay: 1,
      date: setup.first,
      headerToolbar: { start: "", center: "", end: "" },
      allDaySlot: false,
      nowIndicator: true,
      editable: false,
      eventStartEditable: false,
      eventDurationEditable: false,
      longPressDelay: 400,
      eventContent: content(setup),
      eventDidMount: describe(setup),
      eventDrop: moved(setup),
      eventResize: moved(setup),
      slotLabelFormat: label(setup),
      eventTimeFormat: (start) => clock(wallOfDate(start)),
      dayHeaderFormat: (date) => shortDay(wallOfDate(date), setup.locale),
      noEventsContent: () => words().none,
      buttonText: (text) => ({ ...text, expand: words().expand, collapse: words().collapse, close: "×" }),
    };
  }

  // The library writes its roles at times of its own, later still where the machine is busy: they
  // are taken away before anybody can read them, and what that changes is not looked at again.
  function keepPlain(root) {
    const watch = new MutationObserver(() => { plainRoles(root); watch.takeRecords(); });
    watch.observe(root, { childList: true, subtree: true, attributeFilter: ["role"] });
  }

  // The library draws a table without cells that hold anything: the words of the page are in the
  // list, so what is drawn is a picture with buttons in it.
  function plainRoles(root) {
    for (const part of root.querySelectorAll("[role=row], [role=rowgroup], [role=cell], [role=columnheader], [role=rowheader], [role=table], [role=list], [role=listitem]")) {
      part.removeAttribute("role");
      part.removeAttribute("aria-colindex");
      part.removeAttribute("aria-colspan");
    }
    for (const aside of root.querySelectorAll("aside, header")) {
      aside.setAttribute("role", "presentation");
    }
    for (const time of root.querySelectorAll("time[aria-label], span[aria-label]")) {
      time.removeAttribute("aria-label");
    }
    const main = root.querySelector(".ec-main");
    if (main) {
      main.tabIndex = 0;
      main.setAttribute("aria-label", document.title.split(" · ")[0]);
      // Where arrow keys choose a time a screen reader hands them on.
      const help = root.dataset.calendar === "week" && document.getElementById("calendar-help");
      main.setAttribute("role", help ? "application" : "group");
      if (help) {
        main.setAttribute("aria-describedby", help.id);
      }
    }
  }

  // An instrument's week -----------------------------------------------------------------------

  // The hours to draw: from the first opening to the last closing, an hour around.
  function hoursOf(setup) {
    const drawn = setup.events
      .filter(({ classNames }) => !classNames.includes("is-shut"))
      .map(({ start, end }) => [Date.parse(start + "Z"), Date.parse(end + "Z")]);
    const opened = (setup.windows || [])
      .map((window) => window.map((moment) => wallOf(Date.parse(moment), setup.zone)));
    let least = 24;
    let most = 0;
    for (const [start, end] of [...drawn, ...opened]) {
      const isPastMidnight = dayOf(start) !== dayOf(end - 1);
      least = Math.min(least, isPastMidnight ? 0 : Math.floor((start / MINUTE % 1440) / 60));
      most = Math.max(most, isPastMidnight ? 24 : Math.ceil(((end - 1) / MINUTE % 1440) / 60));
    }
    return least < most ? [Math.max(0, least - 1), Math.min(24, most + 1)] : [7, 20];
  }

  const hour = (number) => `${String(number).padStart(2, "0")}:00`;

  // The times that the part beside the calendar speaks of, in the wall clock of the instrument:
  // of a recurring booking several.
  function chosenTimes(zone) {
    return [...document.querySelectorAll("#choice [data-choice], [data-dates] [data-choice]")].map(({ dataset }) => ({
      from: wallOf(Date.parse(dataset.start), zone),
      until: wallOf(Date.parse(dataset.end), zone),
      isRefused: "refused" in dataset,
    }));
  }
  const chosenNow = (zone) => chosenTimes(zone)[0];

  // A form with fields for the time gets it as if it had been typed, and asks what it comes to.
  function fill(start, end, zone) {
    const { elements } = document.querySelector("[data-fills]");
    const wall = wallOf(start, zone);
    const weekday = (at) => (new Date(at).getUTCDay() + 6) % 7;
    if (elements.end) {
      elements.start.value = naive(wall).slice(0, 16);
      elements.end.value = naive(wallOf(end, zone)).slice(0, 16);
      elements.start.dataset.was = elements.start.value;
    } else {
      // What comes again on one day of the week, that of its start, goes with it to another.
      const boxes = [...document.querySelectorAll("[data-fills] [name=weekdays]")];
      const [only, ...more] = boxes.filter((box) => box.checked);
      if (only && !more.length && Number(only.value) === weekday(wallOf(Date.parse(elements.start.value), zone))) {
        boxes.forEach((box) => { box.checked = Number(box.value) === weekday(wall); });
      }
      elements.start.value = rfc3339(start);
      elements.minutes.value = Math.round((end - start) / MINUTE);
    }
    elements.start.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Where somebody types another start, the end follows and the length stays: before a preview is asked for.
  document.addEventListener("change", function ({ target }) {
    const end = target.name === "start" && target.matches("[data-fills] *") && target.form.elements.end;
    const [was, now, until] = [target.dataset.was || target.defaultValue, target.value, end && end.value]
      .map((text) => Date.parse(text + "Z"));
    if (end && now > 0 && until > was) {
      end.value = naive(until + now - was).slice(0, 16);
    }
    target.dataset.was = target.value || target.dataset.was || "";
  }, true);

  function mountWeek(root, setup) {
    const free = setup.free.map(([start, end]) => [Date.parse(start), Date.parse(end)]);
    const openings = setup.windows.map(([opens, closes]) => [Date.parse(opens), Date.parse(closes)]);
    const slot = setup.slot * MINUTE;
    let drawn = 1; // of the times that are chosen
    const firstDay = Date.parse(setup.first + "T00:00:00Z");
    const lastDay = firstDay + (setup.days - 1) * 1440 * MINUTE;
    const fits = (start, end) => free.some(([from, until]) => from <= start && end <= until);

    // The start moves back to the grid that begins where the instrument opens; the length
    // becomes a whole number of slots, and what a booking must have at least.
    function fitted(start, end) {
      const opening = openings.find(([opens, closes]) => opens <= start && start < closes);
      const first = opening ? opening[0] + Math.floor((start - opening[0]) / slot) * slot : start;
      const wanted = Math.ceil((end - first) / slot) * slot;
      return [first, first + Math.max(wanted, setup.shortest * MINUTE)];
    }

    // Ask what a time costs and what refuses it; the answer stands beside the calendar.
    function choose(start, end, isByKeyboard) {
      if (!setup.choose) {
        fill(start, end, setup.zone);
        return;
      }
      const query = new URLSearchParams({ start: rfc3339(start), minutes: Math.round((end - start) / MINUTE) });
      const organisation = document.querySelector("#choice [name=organisation]");
      const mode = document.querySelector("#choice [name=service_mode]");
      if (organisation || setup.organisation) {
        query.set("organisation", organisation ? organisation.value : setup.organisation);
      }
      if (mode) {
        query.set("service_mode", mode.value);
      }
      draw("chosen", wallOf(start, setup.zone), wallOf(end, setup.zone));
      askChoice(`${setup.choose}?${query}`, isByKeyboard);
    }

    const instants = (from, until) => [instantOf(from, setup.zone), instantOf(until, setup.zone)];

    // Two times of the reader's own: what is chosen, and where the keyboard stands.
    function draw(id, from, until, isRefused) {
      calendar.removeEventById(id);
      if (from !== undefined) {
        calendar.addEvent({
          id,
          start: naive(from),
          end: naive(until),
          classNames: [`is-${id.split(" ")[0]}`, ...(isRefused ? ["is-refused"] : [])],
          editable: id === "chosen",
          startEditable: id === "chosen",
          durationEditable: id === "chosen",
          extendedProps: { first: id === "cursor" ? "\u00a0" : words().chosen, second: "" },
        });
      }
    }

    function moveChosen({ event, revert }) {
      if (event.id === setup.moving) {
        revert();
      } else if (event.id !== "chosen") {
        moved(setup)(...arguments);
        return;
      }
      const [start, end] = instants(wallOfDate(event.start), wallOfDate(event.end));
      if (end > start) {
        choose(...fitted(start, end));
      } else {
        revert();
      }
    }

    const [least, most] = hoursOf(setup);
    const step = most - least > 15 ? 60 : 30;
    const snap = Math.max(5, openings.reduce(
      (common, [opens]) => divisor(common, Math.round(opens / MINUTE) % 60 || common), Math.min(setup.slot, 60)));
    const slotHeight = step === 60 ? 28 : 22;
    root.style.setProperty("--minute", `${slotHeight / step}px`);
    const calendar = EventCalendar.create(root, {
      ...shared(setup),
      view: narrow() ? "timeGridDay" : "sevenDays",
      views: { sevenDays: { type: "timeGridDay", duration: { days: setup.days } } },
      events: setup.events,
      slotMinTime: hour(least),
      slotMaxTime: hour(most),
      slotDuration: { minutes: step },
      slotHeight,
      slotLabelInterval: { minutes: setup.zone === setup.readerZone ? 60 : 120 },
      slotLabelFormat: axisLabel(setup),
      snapDuration: { minutes: snap },
      scrollTime: hour(Math.max(least, Math.min(8, most))),
      slotEventOverlap: false,
      selectable: true,
      datesSet: () => requestAnimationFrame(takesKeys),
      eventDrop: moveChosen,
      eventResize: moveChosen,
      select({ startStr, endStr }) {
        calendar.unselect();
        choose(...fitted(...instants(Date.parse(startStr + "Z"), Date.parse(endStr + "Z"))));
      },
      dateClick({ dateStr }) {
        const start = instantOf(Date.parse(dateStr + "Z"), setup.zone);
        const [from] = fitted(start, start + slot);
        choose(from, from + setup.usual * MINUTE);
      },
    });
    const showDay = followWidth(root, calendar, setup);
    showChosen();

    // What is chosen, where this week shows it.
    function showChosen() {
      const times = chosenTimes(setup.zone);
      drawn = Math.max(drawn, times.length);
      for (let index = 0; index < drawn; index += 1) {
        const { from, until, isRefused } = times[index] || {};
        const isHere = until > firstDay && from < lastDay + 1440 * MINUTE;
        draw(index ? `chosen ${index}` : "chosen", isHere ? from : undefined, until, isRefused);
        if (isHere && !index && narrow()) {
          showDay(dayOf(from));
        }
      }
    }
    root.showChosen = showChosen;
    root.covers = (wall) => wall >= firstDay && wall < lastDay + 1440 * MINUTE;

    // The keyboard: a time that the arrow keys move, read out as it goes, and taken by Enter.
    let at = null;
    function takesKeys() {
      const main = root.querySelector(".ec-main");
      if (!main || main.dataset.keys) {
        return;
      }
      main.dataset.keys = "";
      main.addEventListener("keydown", keyed);
      main.addEventListener("blur", () => { at = null; draw("cursor"); });
      const page = root.closest("#week");
      if ("refocus" in page.dataset) {
        delete page.dataset.refocus;
        main.focus({ preventScroll: true });
      }
    }

    function firstFree(day) {
      const starts = free.map(([from]) => wallOf(from, setup.zone)).sort((a, b) => a - b);
      return starts.find((from) => dayOf(from) >= day) ?? starts[0];
    }

    function keyed(event) {
      if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) {
        return;
      }
      const keys = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "Enter", " ", "Escape"];
      if (event.key === "PageUp" || event.key === "PageDown") {
        const link = document.querySelector(`[data-week=${event.key === "PageUp" ? "before" : "after"}]`);
        if (link) {
          event.preventDefault();
          root.closest("#week").dataset.refocus = "";
          htmx.ajax("GET", link.getAttribute("hx-get"), { target: "#week", swap: "innerHTML" });
        }
        return;
      }
      if (!keys.includes(event.key)) {
        return;
      }
      event.preventDefault();
      const day = 1440 * MINUTE;
      if (event.key === "Escape") {
        at = null;
        draw("cursor");
        say("");
        return;
      }
      if (!at) {
        const chosen = chosenNow(setup.zone);
        const start = chosen && root.covers(chosen.from) ? chosen.from : firstFree(setup.first) ?? firstDay + 9 * 60 * MINUTE;
        at = { from: start, minutes: chosen ? (chosen.until - chosen.from) / MINUTE : setup.usual };
      } else if (event.key === "Enter" || event.key === " ") {
        const start = instantOf(at.from, setup.zone);
        choose(start, start + at.minutes * MINUTE, true);
        return;
      } else if (event.shiftKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
        const by = event.key === "ArrowDown" ? setup.slot : -setup.slot;
        at.minutes = Math.min(setup.longest, Math.max(setup.shortest, at.minutes + by));
      } else {
        const by = { ArrowUp: -setup.slot * MINUTE, ArrowDown: setup.slot * MINUTE, ArrowLeft: -day, ArrowRight: day }[event.key];
        const sameDay = Date.parse(dayOf(at.from) + "T00:00:00Z");
        const there = by ? at.from + by : sameDay + (event.key === "Home" ? least : most - 1) * 60 * MINUTE;
        at.from = Math.min(Math.max(there, firstDay + (at.from % day)), lastDay + (at.from % day));
        if (!["ArrowLeft", "ArrowRight"].includes(event.key)) {
          at.from = Math.min(Math.max(there, firstDay + least * 60 * MINUTE), lastDay + most * 60 * MINUTE - slot);
        }
      }
      if (narrow()) {
        showDay(dayOf(at.from));
      }
      const until = at.from + at.minutes * MINUTE;
      draw("cursor", at.from, until);
      const mark = root.querySelector(".is-cursor");
      if (mark) {
        mark.scrollIntoView({ block: "nearest" });
      }
      const isFree = fits(...instants(at.from, until));
      say(`${shortDay(at.from, setup.locale)} ${spanText(at.from, until, setup.locale)}, ${isFree ? words().free : words().notFree}`);
    }
    return calendar;
  }

  // The part beside the calendar. Chosen by the keyboard, the focus goes there with it.
  function askChoice(url, isFocused) {
    const choice = document.getElementById("choice");
    choice.dataset.asked = "";
    choice.toggleAttribute("data-focus", Boolean(isFocused));
    htmx.ajax("GET", url, { source: "#choice", target: "#choice", swap: "innerHTML" });
  }

  document.addEventListener("click", function (event) {
    const choice = document.getElementById("choice");
    if (!choice || event.ctrlKey || event.metaKey || event.shiftKey || event.button) {
      return;
    }
    // A free start of a list fills the part beside it, where it stands beside.
    const start = event.target.closest("#week a.slot, #choice a.slot");
    const clear = event.target.closest("[data-choice-clear]");
    if (start && !choice.dataset.ask) {
      event.preventDefault();
      const at = Date.parse(start.dataset.start);
      const minutes = new URLSearchParams(start.search).get("minutes");
      fill(at, at + minutes * MINUTE, JSON.parse(document.getElementById("week-setup").textContent).zone);
    } else if (start && (start.closest("#choice") || window.matchMedia("(min-width: 992px)").matches)) {
      event.preventDefault();
      askChoice(`${choice.dataset.ask}${start.search}`, event.detail === 0);
    } else if (clear) {
      event.preventDefault();
      askChoice(`${choice.dataset.ask}${clear.search}`, event.detail === 0);
    }
  });

  document.addEventListener("htmx:afterSettle", function (event) {
    const choice = document.getElementById("choice");
    if (!choice || !["choice", "preview"].includes(event.target.id)) {
      return;
    }
    const root = document.querySelector("[data-calendar=week][data-mounted]");
    const setup = JSON.parse((document.getElementById("week-setup") || { textContent: "{}" }).textContent);
    const chosen = setup.zone && chosenNow(setup.zone);
    if (root && (!chosen || root.covers(chosen.from))) {
      root.showChosen();
    } else if (root && chosen) {
      // The nearest time that passes may lie in another week.
      const query = new URLSearchParams({ week: dayOf(chosen.from), minutes: document.getElementById("minutes").value });
      if (setup.organisation) {
        query.set("organisation", setup.organisation);
      }
      htmx.ajax("GET", `${setup.week}?${query}`, { target: "#week", swap: "innerHTML" });
    }
    const title = document.getElementById("choice-title");
    if (!title) {
      return;
    }
    if (choice.hasAttribute("data-focus")) {
      title.focus();
    } else if ("asked" in choice.dataset && !window.matchMedia("(min-width: 992px)").matches) {
      title.scrollIntoView({ block: "start" });
    }
    choice.removeAttribute("data-focus");
    delete choice.dataset.asked;
  });

  function divisor(one, other) {
    return other ? divisor(other, one % other) : one;
  }

  // On a telephone one day at a time, chosen by the buttons above.
  function followWidth(root, calendar, setup) {
    const days = root.closest("[data-panel]").querySelectorAll("[data-day]");
    const choose = (day) => {
      calendar.setOption("date", day);
      for (const button of days) {
        const isIt = button.dataset.day === day;
        button.classList.toggle("active", isIt);
        button.setAttribute("aria-pressed", String(isIt));
      }
    };
    for (const button of days) {
      button.addEventListener("click", () => choose(button.dataset.day));
    }
    const apply = (isNarrow) => {
      calendar.setOption("view", isNarrow ? "timeGridDay" : "sevenDays");
      choose(setup.first);
    };
    apply(narrow());
    window.matchMedia("(max-width: 767px)").addEventListener("change", (event) => apply(event.matches));
    return choose;
  }

  // The board ------------------------------------------------------------------------------------

  // Drawn here, not by the library, which takes ten times as long for many instruments. Each
  // instrument and each unit has a line, on which what takes it lies by the minute: `--minute` is
  // its width, so another width of the page needs nothing drawn again.
  function mountBoard(root, setup) {
    const isDay = setup.days === 1;
    const slotMinutes = isDay ? 60 : 180;
    const total = setup.days * 1440;
    const midnight = Date.parse(setup.first + "T00:00:00Z");
    const minuteOf = (wall) => (Date.parse(wall + "Z") - midnight) / MINUTE;
    const wallAt = (minute) => naive(midnight + minute * MINUTE);
    const texts = content(setup);
    let slotWidth;

    const given = document.getElementById("board-drawn");
    if (given) {
      draw(JSON.parse(given.textContent));
    } else {
      (asked || askEvents(root.dataset.events))
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
        .then(draw)
        .catch(() => {
          root.replaceChildren(element("p", "text-secondary p-3 mb-0", words().failed));
          say(words().failed);
        });
    }

    function draw({ resources, events }) {
      const main = element("section", "ec-main", "");
      main.tabIndex = 0;
      main.setAttribute("role", "group");
      main.setAttribute("aria-label", document.title.split(" · ")[0]);
      const body = element("div", "ec-body", "");
      const onLine = {};
      for (const event of events) {
        for (const id of event.resourceIds || []) {
          (onLine[id] ||= []).push(event);
        }
      }
      const isGrouped = resources.some(({ extendedProps }) => extendedProps.group !== resources[0].extendedProps.group);
      let lines = body;
      let group;
      for (const resource of resources) {
        const props = resource.extendedProps;
        if (isGrouped && props.group !== group) {
          group = props.group;
          lines = element("div", "board-lines", "");
          body.append(groupHead(props, lines), lines);
        }
        const units = (resource.children || []).map((unit) => line(unit, onLine[unit.id] || []));
        lines.append(line(resource, onLine[resource.id] || [], units, isGrouped), ...units);
      }
      main.append(header(), body);
      const calendar = element("div", "ec ec-timeline", "");
      calendar.style.setProperty("--days", setup.days);
      calendar.append(main);
      showNow(main, body);
      fit(calendar);
      root.replaceChildren(calendar);
      const today = (wallOf(Date.now(), setup.zone) - midnight) / (1440 * MINUTE);
      const first = (0 <= today && today < setup.days ? Math.floor(today) * 1440 : 0) + (isDay ? 420 : 0);
      main.scrollLeft = (first / slotMinutes) * slotWidth;
      new ResizeObserver(() => fit(calendar)).observe(root.parentElement);
      main.addEventListener("pointerover", ({ target }) => {
        const block = target.closest("article:not([title])");
        if (block && block.entry && block.entry.extendedProps.first) {
          block.title = inWords(setup, block.entry).join("\n");
        }
      });
      takeDrags(main);
      main.addEventListener("click", (event) => {
        const link = event.target.closest("article .event-link");
        if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.defaultPrevented) {
          event.preventDefault();
          showDetails(link.closest("article"));
        }
      });
    }

    // The lines of a facility, under a head that folds them; which are folded is remembered.
    function groupHead({ group, facility }, lines) {
      const head = element("div", "board-group", "");
      const button = element("button", "btn btn-link p-0", "");
      const folded = new Set(remembered("board-folded"));
      const show = (isFolded) => {
        lines.hidden = isFolded;
        button.setAttribute("aria-expanded", String(!isFolded));
      };
      button.type = "button";
      button.textContent = facility;
      button.addEventListener("click", () => {
        show(!lines.hidden);
        const now = new Set(remembered("board-folded"));
        now[lines.hidden ? "add" : "delete"](group);
        remember("board-folded", [...now]);
      });
      show(folded.has(group));
      head.append(button);
      return head;
    }

    // What a bar is about, beside it: the board stays where it is.
    function showDetails(made) {
      const { first, url, move, answer } = made.entry.extendedProps;
      let box = document.getElementById("board-details");
      if (!box) {
        box = element("div", "board-details card", "");
        box.id = "board-details";
        box.popover = "auto";
        document.body.append(box);
      }
      const link = (href, className, text) => {
        const each = element("a", className, text);
        each.href = href;
        return each;
      };
      const [, ...lines] = inWords(setup, made.entry);
      const acts = element("div", "d-flex flex-wrap gap-2 mt-2", "");
      if (answer) {
        acts.append(link(answer, "btn btn-sm btn-primary", words().answer));
      }
      if (move && (made.entry.startEditable || made.entry.durationEditable)) {
        const button = element("button", "btn btn-sm", words().move);
        button.type = "button";
        button.addEventListener("click", () => {
          box.hidePopover();
          openDialog(move, () => {});
        });
        acts.append(button);
      }
      acts.append(link(url, "btn btn-sm", words().open));
      const text = element("div", "", "");
      text.append(...lines.map((line) => element("div", "text-secondary", line)));
      box.replaceChildren(link(url, "h4 d-block mb-1", first), text, acts);
      box.showPopover();
      const { left, bottom, top } = made.getBoundingClientRect();
      const width = document.documentElement.clientWidth - box.offsetWidth - 8;
      const isBelow = bottom + box.offsetHeight + 8 < window.innerHeight;
      box.style.left = `${Math.max(8, Math.min(left, width))}px`;
      box.style.top = `${isBelow ? bottom + 4 : Math.max(8, top - box.offsetHeight - 4)}px`;
      box.querySelector("a").focus();
    }

    // As wide as there is room, until the hours become too small to be hit. What is too narrow for
    // its words leaves them to the tip.
    function fit(calendar) {
      const style = getComputedStyle(root);
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      const room = root.clientWidth - parseFloat(style.getPropertyValue("--board-names")) * rem - 4;
      const width = Math.max(isDay ? 26 : 12, Math.floor((room / (total / slotMinutes)) * 10) / 10);
      if (width === slotWidth) {
        return;
      }
      slotWidth = width;
      calendar.style.setProperty("--minute", `${width / slotMinutes}px`);
      calendar.style.setProperty("--ec-slot-width", `${width}px`);
      for (const block of calendar.querySelectorAll("article:not(.ec-preview)")) {
        const pixels = ((minuteOf(block.entry.end) - minuteOf(block.entry.start)) / slotMinutes) * width;
        block.classList.toggle("is-tiny", pixels < 46);
        block.classList.toggle("is-narrow", pixels >= 46 && pixels < 92);
      }
    }

    function header() {
      const head = element("header", "ec-header", "");
      head.setAttribute("role", "presentation");
      const corner = element("aside", "ec-sidebar", "");
      corner.setAttribute("role", "presentation");
      const today = dayOf(wallOf(Date.now(), setup.zone));
      const days = [];
      const hours = [];
      for (let day = 0; day < setup.days; day += 1) {
        const wall = midnight + day * 1440 * MINUTE;
        const isToday = dayOf(wall) === today ? " ec-today" : "";
        const name = element("div", `ec-col-head${isToday}`, "");
        name.append(element("time", "", shortDay(wall, setup.locale)));
        const slots = element("div", `ec-slots${isToday}`, "");
        slots.setAttribute("aria-hidden", "true");
        for (let minute = 0; minute < 1440; minute += 2 * slotMinutes) {
          slots.append(element("div", "ec-slot", clock(wall + minute * MINUTE).slice(0, isDay ? 5 : 2)));
        }
        days.push(name);
        hours.push(slots);
      }
      head.append(corner, ...days, ...hours);
      return head;
    }

    function line(resource, entries, units, isGrouped) {
      const { unit, lanes, opened } = resource.extendedProps;
      const row = element("div", unit ? "board-line is-unit" : "board-line", "");
      const head = element("div", "ec-row-head", "");
      if (units && units.length) {
        head.append(expander(units));
      }
      const label = element("span", "", "");
      label.append(...resourceLabel(resource, setup, isGrouped));
      head.append(label);
      const time = element("div", "board-time", "");
      time.resource = resource;
      if (unit || !lanes) {
        time.style.setProperty("--shut", shutParts(opened));
      }
      const blocks = entries.map(block).filter(Boolean);
      row.style.setProperty("--lanes", stack(blocks));
      time.append(...blocks);
      row.append(head, time);
      return row;
    }

    function expander(units) {
      const place = element("span", "ec-expander", "");
      const button = element("button", "ec-button", "");
      const show = (isOpen) => {
        button.textContent = isOpen ? "−" : "+";
        button.title = isOpen ? words().collapse : words().expand;
        button.setAttribute("aria-label", button.title);
      };
      button.type = "button";
      button.addEventListener("click", () => {
        units.forEach((unit) => { unit.hidden = !unit.hidden; });
        show(!units[0].hidden);
      });
      show(true);
      place.append(button);
      return place;
    }

    // The colour of what is outside opening hours, along the whole line.
    function shutParts(opened) {
      const share = (minute) => `${((minute / total) * 100).toFixed(4)}%`;
      const stops = [];
      let at = 0;
      for (const [opens, closes] of [...opened.map((each) => each.map(minuteOf)), [total, total]]) {
        stops.push(`var(--cal-shut) ${share(at)} ${share(Math.max(at, opens))}`);
        const until = Math.max(at, closes);
        stops.push(`transparent ${share(Math.max(at, opens))} ${share(until)}`);
        at = until;
      }
      return `linear-gradient(to right, ${stops.join(", ")})`;
    }

    function block(event) {
      const start = Math.max(0, minuteOf(event.start));
      const end = Math.min(total, minuteOf(event.end));
      if (end <= start) {
        return null;
      }
      const isBehind = event.display === "background";
      const made = element("article", [isBehind ? "ec-bg-event" : "ec-event", ...event.classNames].join(" "), "");
      made.entry = event;
      made.classList.toggle("ec-start-clipped", minuteOf(event.start) < 0);
      made.classList.toggle("ec-end-clipped", minuteOf(event.end) > total);
      made.classList.toggle("ec-draggable", Boolean(event.startEditable));
      place(made, start, end);
      for (const style of event.styles || []) {
        made.style.setProperty(...style.split(":"));
      }
      const text = element("div", "ec-event-body", "");
      text.append(...texts({ event }).domNodes);
      made.append(text);
      if (event.extendedProps && event.extendedProps.first && !isBehind) {
        const short = element("span", "event-short", initials(event.extendedProps.first));
        short.setAttribute("aria-hidden", "true");
        made.append(short);
      }
      if (event.durationEditable) {
        made.append(element("div", "ec-resizer", ""));
      }
      return made;
    }

    function place(made, start, end) {
      made.style.setProperty("--at", start);
      made.style.setProperty("--for", end - start);
    }

    // What lies at the same time on one line lies below one another: how many lanes that takes.
    function stack(blocks) {
      const lanes = [];
      for (const made of blocks.filter(({ entry }) => entry.display !== "background")) {
        const { start, end } = made.entry;
        let lane = lanes.findIndex((taken) => taken.every((each) => each.end <= start || end <= each.start));
        if (lane < 0) {
          lane = lanes.push([]) - 1;
        }
        lanes[lane].push({ start, end });
        if (lane) {
          made.style.setProperty("--lane", lane);
        }
      }
      return lanes.length;
    }

    function showNow(main, body) {
      const marks = [element("span", "board-now-dot", ""), element("span", "board-now", "")];
      const move = () => {
        const minute = (wallOf(Date.now(), setup.zone) - midnight) / MINUTE;
        for (const mark of marks) {
          mark.hidden = minute < 0 || minute >= total;
          mark.style.setProperty("--at", minute);
        }
      };
      move();
      main.firstChild.prepend(marks[0]);
      body.append(marks[1]);
      setInterval(move, MINUTE);
    }

    // A booking is dragged along its line or stretched at its end, empty time is marked. Under a
    // finger, which also scrolls, that begins when it has rested.
    function takeDrags(main) {
      const snap = isDay ? setup.snap : Math.max(30, setup.snap);
      let act = null;
      let wasDragged = false;

      const at = (x) => {
        const { left } = act.time.getBoundingClientRect();
        // What is drawn may lie half a pixel before its minute.
        const minute = Math.floor(((x - left + 0.5) / slotWidth) * slotMinutes / snap) * snap;
        return Math.min(Math.max(minute, 0), total - snap);
      };

      main.addEventListener("pointerdown", (event) => {
        const time = event.target.closest(".board-time");
        if (act || !time || !event.isPrimary || event.button || !root.dataset.close) {
          return;
        }
        wasDragged = false;
        const made = event.target.closest("article.ec-event");
        const isEnd = event.target.closest(".ec-resizer");
        if (made && !isEnd && !made.entry.startEditable) {
          return;
        }
        if (!time.resource.extendedProps.managed) {
          return;
        }
        act = { time, made, kind: isEnd ? "end" : made ? "move" : "choice", x: event.clientX, y: event.clientY };
        act.from = act.kind === "end" ? minuteOf(made.entry.end) - snap : at(act.x);
        const { pointerId } = event;
        act.begin = () => {
          act.timer = null;
          begin(pointerId);
        };
        if (event.pointerType !== "mouse") {
          act.timer = setTimeout(act.begin, 400);
        }
      });

      function begin(pointerId) {
        main.setPointerCapture(pointerId);
        window.getSelection().removeAllRanges();
        const places = act.made ? [...main.querySelectorAll("article")].filter(({ entry }) => entry === act.made.entry) : [];
        act.ghosts = places;
        act.previews = (act.made ? places : [null]).map((ghost) => {
          const preview = element("article", "ec-event ec-preview", "");
          if (ghost) {
            ghost.classList.add("ec-ghost");
            preview.style.setProperty("--lane", ghost.style.getPropertyValue("--lane") || 0);
          }
          preview.append(element("div", "ec-event-body", ""));
          (ghost ? ghost.parentElement : act.time).append(preview);
          return preview;
        });
        main.parentElement.classList.add(act.kind === "end" ? "ec-resizing-x" : "ec-dragging");
        act.isLive = wasDragged = true;
        update();
        scroll();
      }

      // From when until when what is dragged would last.
      function update() {
        const there = at(act.x);
        if (act.kind === "choice") {
          [act.start, act.end] = [Math.min(act.from, there), Math.max(act.from, there) + snap];
        } else {
          const { start, end } = act.made.entry;
          const by = there - act.from;
          act.start = minuteOf(start) + (act.kind === "move" ? by : 0);
          act.end = Math.max(minuteOf(end) + by, act.kind === "end" ? Math.min(minuteOf(start) + snap, minuteOf(end)) : -Infinity);
        }
        const entry = { ...(act.made ? act.made.entry : {}), start: wallAt(act.start), end: wallAt(act.end), display: "preview" };
        entry.extendedProps ||= {};
        for (const preview of act.previews) {
          place(preview, Math.max(0, act.start), Math.min(total, act.end));
          preview.firstChild.replaceChildren(...texts({ event: entry }).domNodes);
        }
        act.entry = entry;
      }

      // Near an edge what is hidden comes into view.
      function scroll() {
        if (!act || !act.isLive) {
          return;
        }
        const box = main.getBoundingClientRect();
        const by = (position, least, most) =>
          (position < least + 24 ? Math.max(-8, (position - least - 24) / 3) : position > most - 24 ? Math.min(8, (position - most + 24) / 3) : 0);
        const left = box.left + main.querySelector(".ec-sidebar").offsetWidth;
        const before = main.scrollLeft;
        main.scrollBy(by(act.x, left, box.right), by(act.y, box.top, box.bottom));
        if (main.scrollLeft !== before) {
          update();
        }
        requestAnimationFrame(scroll);
      }

      function end() {
        clearTimeout(act.timer);
        const ended = act;
        act = null;
        if (ended.isLive) {
          main.parentElement.classList.remove("ec-resizing-x", "ec-dragging");
          ended.ghosts.forEach((ghost) => ghost.classList.remove("ec-ghost"));
        }
        return ended;
      }

      main.addEventListener("pointermove", (event) => {
        if (!act || !event.isPrimary) {
          return;
        }
        const isFar = Math.hypot(event.clientX - act.x, event.clientY - act.y) >= 5;
        if (act.isLive || (isFar && event.pointerType === "mouse")) {
          [act.x, act.y] = [event.clientX, event.clientY];
          if (act.isLive) {
            update();
          } else {
            begin(event.pointerId);
          }
        }
      });

      main.addEventListener("pointerup", (event) => {
        if (!act || !event.isPrimary) {
          return;
        }
        const { isLive, made, ghosts, previews, entry } = end();
        if (!isLive) {
          return;
        }
        const clear = () => previews.forEach((preview) => preview.remove());
        if (!made) {
          choose(entry, previews[0].parentElement.resource, clear);
          return;
        }
        clear();
        const put = ({ start, end: until }) => ghosts.forEach((ghost) =>
          place(ghost, Math.max(0, minuteOf(start)), Math.min(total, minuteOf(until))));
        put(entry);
        moved(setup)({ event: entry, oldEvent: made.entry, revert: () => put(made.entry) });
      });

      const giveUp = () => {
        if (act) {
          const { isLive, previews } = end();
          if (isLive) {
            previews.forEach((preview) => preview.remove());
          }
        }
      };
      main.addEventListener("pointercancel", giveUp);
      document.addEventListener("keydown", (event) => event.key === "Escape" && giveUp());
      const unless = (isHeld) => (event) => isHeld() && event.preventDefault();
      main.addEventListener("touchmove", unless(() => act && act.isLive), { passive: false });
      main.addEventListener("contextmenu", unless(() => act && (act.timer || act.isLive)));
      main.addEventListener("selectstart", unless(() => act));
      main.addEventListener("dragstart", unless(() => act));
      main.addEventListener("click", unless(() => wasDragged), true);
    }

    function choose({ start, end }, resource, onLeft) {
      const [from, until] = [start, end].map((wall) => instantOf(Date.parse(wall + "Z"), setup.zone));
      const ask = new URLSearchParams({ start: rfc3339(from), minutes: Math.round((until - from) / MINUTE) });
      if (resource.extendedProps.unit) {
        ask.set("unit", resource.extendedProps.unit);
      }
      const url = root.dataset.close.replace("00000000-0000-0000-0000-000000000000", resource.extendedProps.instrument);
      openDialog(`${url}?${ask}`, onLeft);
    }
  }

  // The letters a name begins with; a Chinese name is short enough.
  function initials(name) {
    const [chinese] = name.match(/\p{Script=Han}{2,4}/u) || [];
    return chinese || name.split(/[\s-]+/).slice(0, 3).map((part) => [...part][0] || "").join("");
  }

  function resourceLabel(resource, setup, isGrouped) {
    const { facility, zone, unit, url } = resource.extendedProps;
    if (unit) {
      return [element("span", "row-unit", resource.title)];
    }
    const link = element("a", "row-name", resource.title);
    link.href = url;
    link.title = `${resource.title}\n${facility}`;
    const more = [isGrouped ? "" : facility, zone === setup.zone ? "" : zoneName(setup, zone)].filter(Boolean).join(" · ");
    return [link, element("span", "row-facility", more)];
  }

  // One's own bookings -------------------------------------------------------------------------

  function mountMine(root, setup) {
    const [least, most] = hoursOf(setup);
    const wide = setup.view === "month" ? "dayGridMonth" : "timeGridWeek";
    const small = setup.view === "month" ? "listMonth" : "listWeek";
    setup.showsPurpose = setup.view !== "month";
    setup.days = 7;
    const calendar = EventCalendar.create(root, {
      ...shared(setup),
      view: narrow() ? small : wide,
      views: { dayGridMonth: { dayHeaderFormat: { weekday: "short" } } },
      listDayFormat: (date) => shortDay(wallOfDate(date), setup.locale),
      listDaySideFormat: () => "",
      events: setup.events,
      slotMinTime: hour(Math.min(least, 8)),
      slotMaxTime: hour(Math.max(most, 20)),
      scrollTime: hour(Math.min(least, 8)),
      slotDuration: { minutes: 30 },
      slotHeight: 22,
      snapDuration: { minutes: 15 },
      slotEventOverlap: false,
    });
    window.matchMedia("(max-width: 767px)").addEventListener("change", (event) =>
      calendar.setOption("view", event.matches ? small : wide));
    return calendar;
  }

  // Tabs: drawn or as a list; the choice is kept ------------------------------------------------

  function show(name, focus) {
    for (const tab of document.querySelectorAll("[data-tab]")) {
      const isIt = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(isIt));
      tab.classList.toggle("active", isIt);
      tab.tabIndex = isIt ? 0 : -1;
      if (isIt && focus) {
        tab.focus();
      }
    }
    for (const panel of document.querySelectorAll("[data-panel]")) {
      panel.hidden = panel.dataset.panel !== name;
    }
    document.documentElement.dataset.shown = name;
    if (name === "calendar") {
      mountAll();
    }
  }

  function remember(name, value) {
    try { localStorage.setItem(name, JSON.stringify(value)); } catch (error) { /* storage may be closed */ }
  }

  function remembered(name) {
    try { return JSON.parse(localStorage.getItem(name)) || []; } catch (error) { return []; }
  }

  function choose(name, focus) {
    try { localStorage.setItem("calendar-tab", name); } catch (error) { /* storage may be closed */ }
    show(name, focus);
  }

  document.addEventListener("click", function (event) {
    const tab = event.target.closest("[data-tab]");
    if (tab) {
      choose(tab.dataset.tab);
    }
  });
  document.addEventListener("keydown", function (event) {
    const tab = event.target.closest && event.target.closest("[data-tab]");
    if (tab && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      choose(tab.dataset.tab === "list" ? "calendar" : "list", true);
    }
  });

  const mounts = { week: mountWeek, board: mountBoard, mine: mountMine };

  function mountAll() {
    for (const root of document.querySelectorAll("[data-calendar]:not([data-mounted])")) {
      root.dataset.mounted = "";
      const setup = JSON.parse(document.getElementById(root.dataset.setup).textContent);
      setup.root = root;
      if (root.dataset.calendar !== "board") {
        keepPlain(root);
      }
      root.calendar = mounts[root.dataset.calendar](root, setup);
    }
  }

  function begin() {
    if (document.querySelector("[data-tab]")) {
      show(document.documentElement.dataset.shown);
    }
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", begin);
  } else {
    begin();
  }
  // Another week came into the page.
  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.target.querySelector && event.target.querySelector("[data-calendar]")) {
      begin();
    }
  });
})();
