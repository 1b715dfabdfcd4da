"""The network of a stack file as a picture: for a terminal, as Mermaid and as SVG, of its plan alone."""
