"""The segmentation network: from the pixels of a field to label images of nuclei and micronuclei.

A field is normalised in contrast (`contrast`) and scale (`scale`), passes through the network
(`network`) in overlapping tiles (`tiles`), and its probabilities are converted to label images
(`objects`). Training cuts tiles from annotated fields (`sampling`), adds simulated light and
cytoplasm (`synthesis`), and fits the network (`training`). `file` defines the file of a detector.
"""
