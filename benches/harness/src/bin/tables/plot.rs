//! A plot for each theme: ours, the best peer and the floor, on a logarithmic scale.

use std::error::Error;

use plotters::prelude::*;

use crate::bars::lowest;
use crate::data::{self, Figure};
use crate::readme::themes;

const OURS: RGBColor = RGBColor(0x1B, 0x7F, 0x5C);
const PEER: RGBColor = RGBColor(0xC8, 0x6B, 0x2A);
const FLOOR: RGBColor = RGBColor(0xA0, 0xA6, 0xAD);
const ROW: u32 = 34;
const WIDTH: u32 = 900;

pub(crate) fn write() -> Result<(), Box<dyn Error>> {
    let (_, ours) = data::read("ours.tsv")?;
    let (_, peers) = data::read("peers.tsv")?;
    themes().try_for_each(|(theme, _)| plot(theme, &ours, &peers))
}

fn plot(theme: &str, ours: &[Figure], peers: &[Figure]) -> Result<(), Box<dyn Error>> {
    let rows: Vec<_> =
        ours.iter().filter(|figure| figure.theme == theme).map(|figure| bars_of(figure, peers)).collect();
    let values = || rows.iter().flat_map(|(_, bars)| bars).map(|(value, _, _)| *value);
    let least = values().fold(f64::INFINITY, f64::min);
    let most = values().fold(0.0, f64::max);
    let file = data::folder().join(format!("plots/{theme}.svg"));
    let height = ROW * rows.len() as u32 + 90;
    let area = SVGBackend::new(&file, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let range = (least / 2.0..most * 4.0).log_scale();
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{theme}: instructions per operation"), ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(260)
        .build_cartesian_2d(range, 0.0..rows.len() as f64)?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().light_line_style(WHITE).draw()?;
    let names = rows.iter().map(|(name, _)| name);
    for (index, name) in names.enumerate() {
        let (x, y) = chart.backend_coord(&(least / 2.0, rows.len() as f64 - index as f64 - 0.5));
        area.draw(&Text::new(name.as_str(), (x - 250, y - 6), ("sans-serif", 12)))?;
    }
    for (index, (_, bars)) in rows.iter().enumerate() {
        for (place, (value, color, label)) in bars.iter().enumerate() {
            let top = rows.len() as f64 - index as f64 - 0.08 - place as f64 * 0.28;
            let corners = [(least / 2.0, top), (*value, top - 0.26)];
            chart.draw_series([Rectangle::new(corners, color.filled())])?;
            let (x, y) = chart.backend_coord(&(*value, top));
            area.draw(&Text::new(label.clone(), (x + 4, y - 1), ("sans-serif", 10)))?;
        }
    }
    Ok(area.present()?)
}

/// Ours, then the best peer and the floor if there are any: value, colour, text behind the bar.
fn bars_of<'a>(figure: &'a Figure, peers: &[Figure]) -> (&'a String, Vec<(f64, RGBColor, String)>) {
    let others: Vec<_> =
        peers.iter().filter(|peer| peer.theme == figure.theme && peer.name == figure.name).collect();
    let mut bars = vec![(figure.release, OURS, format!("ours {:.0}", figure.release))];
    if let Some(best) = lowest(others.iter().filter(|other| other.who != "floor")) {
        bars.push((best.release, PEER, format!("{} {:.0}", best.who, best.release)));
    }
    if let Some(floor) = lowest(others.iter().filter(|other| other.who == "floor")) {
        bars.push((floor.release, FLOOR, format!("floor {:.0}", floor.release)));
    }
    (&figure.name, bars)
}
