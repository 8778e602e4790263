mod bounds;
mod expansion;
mod locations;
mod refresh;
mod rounds;
mod secrets;
mod typing;
