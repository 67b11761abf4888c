// Pictures of statistics, drawn from the data that stand in an attribute. The same is in a table beside.
"use strict";

(() => {
  const HEIGHT = 220;

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function draw(element) {
    const data = JSON.parse(element.dataset.chart);
    const axis = { stroke: color("quiet"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
    const series = data.series.map((each) => ({
      label: each.label,
      stroke: color(each.color),
      fill: color(each.color),
      width: 0,
      points: { show: false },
      paths: uPlot.paths.bars({ size: [0.8, 48] }),
    }));
    const options = {
      width: element.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: { x: { range: () => [data.x[0] - data.step / 2, data.x[data.x.length - 1] + data.step / 2] }, y: { range: (_, __, high) => [0, Math.max(high * 1.1, 1)] } },
      axes: [axis, { ...axis, size: 56 }],
      series: [{ label: data.called, value: data.written }, ...series],
      cursor: { drag: { x: false, y: false } },
    };
    element.replaceChildren();
    return new uPlot(options, [data.x, ...data.series.map((each) => each.values)], element);
  }

  for (const element of document.querySelectorAll("[data-chart]")) {
    let chart = draw(element);
    new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT })).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { chart.destroy(); chart = draw(element); });
  }
})();
