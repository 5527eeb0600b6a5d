"""Files as streams of numbered rows, in bounded memory; what a row means is the importers' business."""
