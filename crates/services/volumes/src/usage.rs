//! How much disk a volume takes.
