"""The segmentation network: from the pixels of a field to label images of nuclei and micronuclei.

A field is brought to one contrast (`contrast`) and one scale, goes through the network (`network`)
in tiles that overlap (`tiles`), and its probabilities become label images (`objects`). Training
cuts tiles from annotated fields (`sampling`), makes the light and the cytoplasm that they lack
(`synthesis`), and fits the network (`training`). `file` is what a saved detector holds.
"""
