//! Aligns columns as Go's `tabwriter` does with docker's settings.

/// The least width of a column, its padding included.
const LEAST: usize = 10;
/// Blanks between columns.
const PADDING: usize = 3;

/// Replaces the tabs of `text` by blanks.
///
/// A column is a run of lines that have a tab-ended cell in it, and is as wide as its widest cell; so lines with
/// fewer tabs break columns apart, exactly as in Go.
pub(crate) fn align(text: &str) -> String {
    align_with(text, LEAST, PADDING)
}

/// The same with other settings.
pub(crate) fn align_with(text: &str, least: usize, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text.split_terminator('\n').map(|line| line.split('\t').collect()).collect();
    let mut out = String::with_capacity(text.len() * 2);
    block(&lines, &mut Vec::new(), &mut out, least, padding);
    out
}

fn block(lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String, least: usize, padding: usize) {
    let column = widths.len();
    let has_cell = |line: &Vec<&str>| column + 1 < line.len();
    let mut done = 0;
    while let Some(from) = lines[done..].iter().position(has_cell).map(|found| done + found) {
        write_lines(&lines[done..from], widths, out);
        let to = lines[from..].iter().position(|line| !has_cell(line)).map_or(lines.len(), |n| from + n);
        let widest = lines[from..to].iter().map(|line| width(line[column])).max().unwrap_or(0);
        widths.push((widest + padding).max(least));
        block(&lines[from..to], widths, out, least, padding);
        widths.pop();
        done = to;
    }
    write_lines(&lines[done..], widths, out);
}

fn write_lines(lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
    for line in lines {
        for (index, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(wanted) = widths.get(index) {
                out.extend(std::iter::repeat_n(' ', wanted.saturating_sub(width(cell))));
            }
        }
        out.push('\n');
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_ten_wide_at_least_and_three_apart() {
        let text = "ID\tNAME\tX\n1\ta-rather-long-name\ty\n";
        assert_eq!(align(text), "ID        NAME                 X\n1         a-rather-long-name   y\n");
    }

    #[test]
    fn a_line_with_fewer_cells_ends_a_column() {
        assert_eq!(align("long-long-long\tb\nplain\nc\td\n"), "long-long-long   b\nplain\nc         d\n");
    }
}
