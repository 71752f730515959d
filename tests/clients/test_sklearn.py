"""scikit-learn through joblib, with our backend against loky."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from joblib_pair import both
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.tree import DecisionTreeClassifier

FEATURES, TARGET = make_classification(200, random_state=0)


class Refusing(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fails when it has fewer rows than all."""

    def fit(self, features: Any, target: Any) -> Refusing:
        raise ArithmeticError(f"{len(features)} rows")


def test_grid_search_and_cross_validation() -> None:
    def job() -> Any:
        tree = DecisionTreeClassifier(random_state=0)
        search = GridSearchCV(tree, {"max_depth": [1, 2, 4], "min_samples_leaf": [1, 5]}, cv=3).fit(FEATURES, TARGET)
        scores = cross_val_score(tree, FEATURES, TARGET, cv=4)
        return search.best_params_, search.cv_results_["mean_test_score"].tolist(), scores.tolist()

    original, ours = both(job)
    assert original == ours


def test_a_search_over_forests_which_are_parallel_themselves() -> None:
    def job() -> Any:
        forest = RandomForestClassifier(8, random_state=0, n_jobs=2)
        search = GridSearchCV(forest, {"max_depth": [2, 3]}, cv=2).fit(FEATURES, TARGET)
        return search.cv_results_["mean_test_score"], search.predict_proba(FEATURES)

    original, ours = both(job)
    assert original[0].tolist() == ours[0].tolist()
    np.testing.assert_allclose(original[1], ours[1])  # added up by threads, in any order


def test_openmp_here_and_in_workers() -> None:
    # GNU's OpenMP hangs in a fork of a process that has used it: workers must not be that.
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0)
    model.fit(FEATURES, TARGET)

    def job() -> Any:
        return cross_val_score(model, FEATURES, TARGET, cv=3).tolist()

    original, ours = both(job)
    assert original == ours


def test_an_exception() -> None:
    def job() -> Any:
        with pytest.raises(ArithmeticError, match="150 rows"):
            cross_val_score(Refusing(), FEATURES, TARGET, cv=4, error_score="raise")
        return cross_val_score(DecisionTreeClassifier(random_state=0), FEATURES, TARGET, cv=2).tolist()

    original, ours = both(job)
    assert original == ours
