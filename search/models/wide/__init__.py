"""Words beside a head: TF-IDF under a linear layer (the wide part of Cheng et al. 2016, "Wide & Deep Learning")."""
