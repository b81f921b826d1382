// Charts of the hours: each draws what a table beside it says in words and numbers.
"use strict";

(function () {
  const COLOURS = {
    light: {
      productive: "#0b6b6f", standby: "#b9c6d3", engineering: "#6a4fa3", scheduled_down: "#c98a12",
      unscheduled_down: "#b3261e", norm: "#7a8794", percent: "#0d4684", ink: "#35414e",
      line: "#d9dee4", heat: ["#eef4f4", "#7cc0bf", "#064446"],
    },
    dark: {
      productive: "#2f9a9e", standby: "#4a5868", engineering: "#9d86d6", scheduled_down: "#d9a441",
      unscheduled_down: "#e5706a", norm: "#8592a0", percent: "#8cbbe8", ink: "#d3dbe4",
      line: "#33404f", heat: ["#1c2733", "#1f6f72", "#8fe3e5"],
    },
  };
  const SHARES = {
    light: ["#0b6b6f", "#c98a12", "#6a4fa3", "#0d4684", "#b3261e", "#5d8a3a", "#7a8794", "#a8577e"],
    dark: ["#2f9a9e", "#d9a441", "#9d86d6", "#6fa4de", "#e5706a", "#8fbf68", "#8592a0", "#d88bb0"],
  };
  const theme = () => document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light";
  const locale = document.documentElement.lang || "en";
  const number = (value) => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value);

  function base(colours) {
    return {
      animation: false, // a quarter of a second until what is there can be read
      textStyle: { color: colours.ink, fontFamily: getComputedStyle(document.body).fontFamily },
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: theme() === "dark" ? "#1c2733" : "#ffffff",
        borderColor: colours.line, textStyle: { color: colours.ink },
      },
    };
  }

  const short = (text) => text.length > 22 ? `${text.slice(0, 21)}…` : text;
  const axis = (colours, more) => Object.assign({
    axisLabel: { color: colours.ink, hideOverlap: true }, axisLine: { lineStyle: { color: colours.line } },
    splitLine: { lineStyle: { color: colours.line } }, axisTick: { show: false },
  }, more);

  const KINDS = {
    bars(data, colours) {
      return {
        legend: { top: 0, type: "scroll", textStyle: { color: colours.ink } },
        grid: { left: 8, right: 16, top: 36, bottom: 8, containLabel: true },
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (v) => `${number(v)} ${data.unit}` },
        xAxis: axis(colours, { type: "value" }),
        yAxis: axis(colours, { type: "category", inverse: true, data: data.labels, axisLabel: { color: colours.ink, formatter: short } }),
        series: data.series.map((one) => ({
          type: "bar", stack: "all", name: one.name, data: one.data, barMaxWidth: 26,
          itemStyle: { color: colours[one.colour] },
        })),
      };
    },
    trend(data, colours) {
      return {
        legend: { top: 0, type: "scroll", textStyle: { color: colours.ink } },
        grid: { left: 8, right: 8, top: 36, bottom: 8, containLabel: true },
        tooltip: { trigger: "axis" },
        xAxis: axis(colours, { type: "category", data: data.labels }),
        yAxis: [
          axis(colours, { type: "value", name: data.unit, nameTextStyle: { color: colours.ink } }),
          axis(colours, { type: "value", min: 0, name: "%", nameTextStyle: { color: colours.ink }, splitLine: { show: false } }),
        ],
        series: [
          ...data.series.map((one) => one.colour === "norm"
            ? { type: "line", name: one.name, data: one.data, symbol: "none", lineStyle: { type: "dashed" }, color: colours.norm }
            : { type: "bar", name: one.name, data: one.data, barMaxWidth: 26, color: colours[one.colour] }),
          { type: "line", name: data.percent.name, data: data.percent.data, yAxisIndex: 1, color: colours.percent, symbolSize: 5 },
        ],
      };
    },
    heat(data, colours) {
      // Up to the next ten per cent above the highest: else little use shows as none.
      const most = Math.max(10, ...data.data.map((cell) => 10 * Math.ceil(cell[2] / 10)));
      return {
        grid: { left: 8, right: 8, top: 8, bottom: 60, containLabel: true },
        tooltip: {
          formatter: ({ data: [x, y, percent, hours] }) =>
            `${data.y[y]}, ${data.x[x]}\n${data.name}: ${number(percent)} %\n${number(hours)} ${data.unit}`,
        },
        xAxis: axis(colours, { type: "category", data: data.x, splitLine: { show: false } }),
        yAxis: axis(colours, { type: "category", inverse: true, data: data.y, splitLine: { show: false }, axisLabel: { color: colours.ink, formatter: short } }),
        visualMap: {
          min: 0, max: most, dimension: 2, orient: "horizontal", left: "center", bottom: 0,
          inRange: { color: colours.heat }, textStyle: { color: colours.ink }, text: [`${most} %`, "0 %"],
        },
        series: [{ type: "heatmap", name: data.name, data: data.data, itemStyle: { borderColor: colours.line, borderWidth: 1 } }],
      };
    },
    shares(data, colours, element) {
      return {
        color: SHARES[theme()],
        tooltip: { formatter: (one) => `${one.name}\n${number(one.value)} ${data.unit} (${one.percent} %)` },
        series: [{
          type: "pie", radius: element.clientWidth < 420 ? ["30%", "46%"] : ["40%", "62%"], data: data.data,
          label: { color: colours.ink, alignTo: "edge", edgeDistance: 2, width: element.clientWidth < 420 ? 78 : 140, overflow: "break", formatter: (one) => `${one.name}\n${one.percent.toFixed(1)} %` },
          itemStyle: { borderColor: theme() === "dark" ? "#1c2733" : "#ffffff", borderWidth: 2 },
        }],
      };
    },
    sankey(data, colours, element) {
      // A region stands on both sides: what its payers used, and what its hosts gave.
      const names = (end) => [...new Set(data.links.map((link) => link[end]))];
      const palette = SHARES[theme()];
      const colour = (name) => palette[[...new Set([...names("source"), ...names("target")])].indexOf(name) % palette.length];
      const nodes = [
        ...names("source").map((name) => ({ name: `> ${name}`, label: name, itemStyle: { color: colour(name) } })),
        ...names("target").map((name) => ({ name: `< ${name}`, label: name, itemStyle: { color: colour(name) } })),
      ];
      const bare = (name) => name.slice(2);
      const narrow = element.clientWidth < 520;
      return {
        tooltip: {
          formatter: (one) => one.dataType === "edge"
            ? `${data.left} ${bare(one.data.source)} → ${data.right} ${bare(one.data.target)}\n${number(one.value)} ${data.unit}`
            : `${bare(one.name)}\n${number(one.value)} ${data.unit}`,
        },
        series: [{
          type: "sankey", left: 8, right: narrow ? 90 : 150, top: 12, bottom: 12, nodeGap: 14, draggable: false,
          emphasis: { focus: "adjacency" },
          data: nodes.map(({ name, itemStyle }) => ({ name, itemStyle })),
          links: data.links.map((link) => ({ source: `> ${link.source}`, target: `< ${link.target}`, value: link.value })),
          label: { color: colours.ink, formatter: ({ name }) => short(bare(name)) },
          lineStyle: { color: "source", opacity: 0.4 },
        }],
      };
    },
  };

  function draw(element) {
    const source = document.getElementById(element.dataset.chart);
    if (!source || !window.echarts) {
      return;
    }
    const data = JSON.parse(source.textContent);
    const colours = COLOURS[theme()];
    if (data.height) { // what kept its room until now is taken away
      element.style.blockSize = `${data.height}px`;
    }
    const own = KINDS[data.kind](data, colours, element);
    const common = base(colours);
    own.tooltip = Object.assign({}, common.tooltip, own.tooltip);
    const chart = echarts.getInstanceByDom(element) || echarts.init(element, null, { renderer: "canvas" });
    chart.resize();
    chart.setOption(Object.assign(common, own), true);
    element.dataset.drawn = "yes";
  }

  document.addEventListener("DOMContentLoaded", function () {
    const all = [...document.querySelectorAll("[data-chart]")];
    all.forEach(draw);
    const again = () => all.forEach(draw);
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    let waiting = 0;
    window.addEventListener("resize", function () {
      clearTimeout(waiting);
      waiting = setTimeout(again, 120);
    });
  });
})();
