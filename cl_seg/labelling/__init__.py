"""SEED labelling: a network learns a new scanner from few slices that a person labels by hand.

The *SEED images* of a scanner are those few labelled slices. Slices are chosen
(``choose``), a person draws on them in a viewer (``queue``, ``label_files``), they come back into a
store (``import_labels``), a saved network goes on training on them (``train``) and proposes labels
for the other slices (``propose``), which a person corrects in a queue of the same form.
"""
